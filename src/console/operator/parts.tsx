import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { navigate, url, withQuery } from '../router'

const TYPING_MS = 250

type Props = { name: string; label: string; placeholder?: string; isSearch?: boolean }

/** A text field for a parameter of the address, applied after each pause in typing. */
export function QueryField({ name, label, placeholder, isSearch = true }: Props) {
  const input = useRef<HTMLInputElement>(null)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const value = url.value.searchParams.get(name) ?? ''
  const set = () => {
    clearTimeout(timer.current)
    const text = input.current?.value.trim() ?? ''
    if (text !== (url.peek().searchParams.get(name) ?? ''))
      navigate(withQuery({ [name]: text, page: undefined }), { replace: true, inPlace: true })
  }
  // Before the next key, which would be undone.
  useLayoutEffect(() => {
    if (input.current && input.current.value.trim() !== value) input.current.value = value
  }, [value])
  useEffect(() => () => clearTimeout(timer.current), [])
  const shared = {
    ref: input,
    class: 'query',
    'aria-label': label,
    placeholder: placeholder ?? label,
    autocomplete: 'off',
    spellcheck: false,
    onInput: () => {
      clearTimeout(timer.current)
      timer.current = setTimeout(set, TYPING_MS)
    },
    onChange: set,
    onKeyDown: ({ key }: KeyboardEvent) => {
      if (key !== 'Escape' || !input.current) return
      input.current.value = ''
      set()
    },
  } as const
  return isSearch ? <input {...shared} type="search" /> : <input {...shared} type="text" />
}

type TableProps = { label: string; columns: readonly string[]; isBusy: boolean; children: ComponentChildren }

/** A table that can scroll sideways; a column without a name holds buttons. */
export const Table = ({ label, columns, isBusy, children }: TableProps) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached without a mouse
  <section class="scroll" aria-label={label} tabIndex={0}>
    <table aria-label={label} aria-busy={isBusy}>
      <thead>
        <tr>
          {columns.map((name) =>
            name === '' ? (
              <td key={name} />
            ) : (
              <th key={name} scope="col">
                {name}
              </th>
            ),
          )}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </section>
)
