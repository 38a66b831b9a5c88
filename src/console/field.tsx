import { type ComponentChildren, createElement, type PartialInputHTMLAttributes } from 'preact'
import { useId } from 'preact/hooks'

type Props = Omit<PartialInputHTMLAttributes<HTMLInputElement>, 'label' | 'name' | 'type'> & {
  type?: 'text' | 'email' | 'password' | 'date' | 'url'
  /** The id of a datalist. */
  list?: string
  label: string
  name: string
  hint?: string | undefined
  /** What is wrong with the value. */
  problem?: ComponentChildren
  /** Makes it a textarea. */
  rows?: number
}

export function Field({ label, name, hint, problem, rows, ...rest }: Props) {
  const id = useId()
  const described = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(' ')
  const shared = {
    id,
    name,
    'aria-describedby': described || undefined,
    'aria-invalid': problem ? true : undefined,
  } as const
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {rows === undefined ? (
        // JSX types have no input whose type is a variable.
        createElement('input', { type: 'text', ...rest, ...shared })
      ) : (
        <textarea {...shared} rows={rows} defaultValue={String(rest.defaultValue ?? '')} dir="auto" />
      )}
      {problem && (
        <p class="problem" id={`${id}-problem`}>
          {problem}
        </p>
      )}
    </div>
  )
}

/** The API's rule for passwords. */
export const PASSWORD_HINT = '8 to 128 characters of any kind'

export const Problem = ({ children }: { children: ComponentChildren }) =>
  children ? (
    <p class="alert" role="alert">
      {children}
    </p>
  ) : null
