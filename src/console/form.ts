import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { explain, isRefusal, Refusal, sentence } from './api'
import { halfFilled, type Text, textOf } from './form-text'
import { tell } from './notices'
import { isOffline } from './offline'
import type { Fields } from './types'

/** Splits a refusal into messages for the form's fields and one for above them. */
function partsOf({ problem }: Refusal, form: HTMLFormElement, error: unknown) {
  if (typeof problem !== 'object') return { fields: {}, summary: explain(error) }
  const unknown = Object.entries(problem).filter(([name]) => form.elements.namedItem(name) === null)
  const rest = unknown.map(([name, text]) => sentence(`${name}: ${text}`)).join(' ')
  return {
    fields: problem,
    summary: unknown.length === Object.keys(problem).length ? rest : `${explain(error)} ${rest}`.trim(),
  }
}

/**
 * A form that is sent once at a time, keeps its text when it is refused, and shows why: the first field that
 * is wrong takes the focus, or else the reason comes into view. Once the form is left, a notice says why.
 */
export function useForm(send: (text: Text, form: HTMLFormElement) => Promise<void>) {
  const ref = useRef<HTMLFormElement>(null)
  const fields = useSignal<Fields>({})
  const summary = useSignal('')
  const isBusy = useSignal(false)
  useLayoutEffect(() => {
    if (summary.value === '') return
    const field = ref.current?.querySelector<HTMLElement>('[aria-invalid]')
    if (field) field.focus()
    else ref.current?.querySelector('[role="alert"]')?.scrollIntoView({ block: 'nearest' })
  }, [fields.value, summary.value])

  const wasUnreached = useRef(false)
  useEffect(() => {
    if (isOffline.value || !wasUnreached.current) return
    wasUnreached.current = false
    summary.value = ''
  }, [isOffline.value])

  async function submit() {
    const form = ref.current
    if (form === null || isBusy.peek()) return
    isBusy.value = true
    fields.value = {}
    summary.value = ''
    try {
      const half = halfFilled(form)
      if (half.length > 0)
        throw new Refusal(422, Object.fromEntries(half.map((name) => [name, 'is not complete'])))
      await send(textOf(form), form)
    } catch (error) {
      // The end of the session is said by the page that asks to sign in.
      if (!form.isConnected && !isRefusal(error, 401)) tell(explain(error))
      wasUnreached.current = isRefusal(error, 0)
      const parts = isRefusal(error) ? partsOf(error, form, error) : { fields: {}, summary: explain(error) }
      fields.value = parts.fields
      summary.value = parts.summary
    }
    isBusy.value = false
  }
  const onSubmit = (event: Event) => {
    event.preventDefault()
    submit()
  }
  return {
    ref,
    /** Props of the form element. */
    form: { ref, onSubmit, noValidate: true, 'aria-busy': isBusy.value } as const,
    problems: fields.value,
    problem: summary.value,
    isBusy: isBusy.value,
    submit,
    say: (text: string) => {
      summary.value = text
    },
  }
}
