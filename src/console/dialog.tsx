import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { explain } from './api'
import { Problem } from './field'

type Props = { title: string; onClose: () => void; children: ComponentChildren; isWide?: boolean }

export function Dialog({ title, onClose, children, isWide = false }: Props) {
  const ref = useRef<HTMLDialogElement>(null)
  const id = useId()
  useLayoutEffect(() => {
    const dialog = ref.current
    dialog?.showModal()
    // Closed before it is removed, so that the focus returns to what opened it.
    return () => dialog?.close()
  }, [])
  return (
    <dialog ref={ref} class={isWide ? 'wide' : ''} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  )
}

type Confirmation = {
  title: string
  /** Of the button that confirms. */
  label: string
  act: () => Promise<void>
  onClose: () => void
  isDisabled?: boolean
  children?: ComponentChildren
}

/** Asks before something that can't be undone. If it is refused, the dialogue stays and says why. */
export function Confirm({ title, label, act, onClose, isDisabled = false, children }: Confirmation) {
  const problem = useSignal('')
  const isBusy = useSignal(false)
  async function onSubmit(event: Event) {
    event.preventDefault()
    if (isBusy.value || isDisabled) return
    isBusy.value = true
    problem.value = ''
    try {
      await act()
      onClose()
    } catch (error) {
      problem.value = explain(error)
    }
    isBusy.value = false
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form noValidate onSubmit={onSubmit} aria-busy={isBusy.value}>
        {children}
        <Problem>{problem.value}</Problem>
        <div class="actions">
          <button type="submit" class="danger" disabled={isDisabled}>
            {label}
          </button>
          <button type="button" class="quiet" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  )
}
