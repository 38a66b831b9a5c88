import { signal } from '@preact/signals'

const SHOWN_MS = 6000

const notice = signal('')
let timer: ReturnType<typeof setTimeout> | undefined

/** Shows a short notice, which screen readers read out. */
export function tell(text: string) {
  clearTimeout(timer)
  notice.value = text
  timer = setTimeout(() => {
    notice.value = ''
  }, SHOWN_MS)
}

export const Notice = () => (
  <p class="notice" role="status" aria-label="Notifications">
    {notice.value !== '' && <span>{notice.value}</span>}
  </p>
)
