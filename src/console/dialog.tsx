import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { Problem } from './field'
import { useForm } from './form'

type Props = {
  title: string
  onClose: () => void
  children: ComponentChildren
  isWide?: boolean
  /** Stays open meanwhile, so that what comes of it is seen. */
  isBusy?: boolean
}

export function Dialog({ title, onClose, children, isWide = false, isBusy = false }: Props) {
  const ref = useRef<HTMLDialogElement>(null)
  const heading = useRef<HTMLHeadingElement>(null)
  const id = useId()
  useLayoutEffect(() => {
    const dialog = ref.current
    dialog?.showModal()
    // Not on a button: the key that opened the dialogue may be pressed twice.
    heading.current?.focus()
    // Closed before it is removed, so that the focus returns to what opened it.
    return () => dialog?.close()
  }, [])
  return (
    <dialog
      ref={ref}
      class={isWide ? 'wide' : ''}
      aria-labelledby={id}
      onCancel={(event) => isBusy && event.preventDefault()}
      onClose={() => {
        // Browsers close it at the second Escape, whatever the page wants.
        if (isBusy && ref.current?.isConnected) ref.current.showModal()
        else onClose()
      }}
    >
      <h2 id={id} ref={heading} tabIndex={-1}>
        {title}
      </h2>
      {children}
    </dialog>
  )
}

type Confirmation = {
  title: string
  /** Of the button that confirms. */
  label: string
  act: () => Promise<void>
  /** Called after it, unless the page was left meanwhile. */
  done?: () => void
  onClose: () => void
  isDisabled?: boolean
  children?: ComponentChildren
}

/** Asks before something that can't be undone. If it is refused, the dialogue stays and says why. */
export function Confirm({ title, label, act, done, onClose, isDisabled = false, children }: Confirmation) {
  const { form, problem, isBusy } = useForm(async (_, form) => {
    await act()
    if (!form.isConnected) return
    onClose()
    done?.()
  })
  return (
    <Dialog title={title} onClose={onClose} isBusy={isBusy}>
      <form {...form}>
        {children}
        <Problem>{problem}</Problem>
        <div class="actions">
          <button type="submit" class="danger" disabled={isDisabled}>
            {label}
          </button>
          <button type="button" class="quiet" disabled={isBusy} onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  )
}
