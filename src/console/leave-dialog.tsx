import { Dialog } from './dialog'
import { answerLeaving, leaving } from './router'

export function LeaveDialog() {
  if (leaving.value === undefined) return null
  const stay = () => answerLeaving(false)
  return (
    <Dialog title="Leave without saving?" onClose={stay}>
      <p>What you typed is not saved.</p>
      <div class="actions">
        <button
          type="button"
          class="danger"
          onClick={({ currentTarget }) => {
            // First, so that the focus isn't given back after the next page has taken it.
            currentTarget.closest('dialog')?.close()
            answerLeaving(true)
          }}
        >
          Leave
        </button>
        <button type="button" class="quiet" onClick={stay}>
          Stay
        </button>
      </div>
    </Dialog>
  )
}
