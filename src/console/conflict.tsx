import { Dialog } from './dialog'
import { differing, type Edited, FIELDS, isUntouched, shown } from './movie-draft'
import type { Movie } from './types'

type Props = {
  edited: Edited
  theirs: Movie
  saveMine: () => void
  keepTheirs: () => void
  onClose: () => void
}

/** Two people changed one movie: shows what is saved next to what would replace it. */
export function Conflict({ edited, theirs, saveMine, keepTheirs, onClose }: Props) {
  const names = differing(edited, theirs)
  return (
    <Dialog title="Someone else changed this movie" isWide onClose={onClose}>
      <p>Your changes aren’t saved yet. These fields differ:</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached without a mouse */}
      <section class="scroll" tabIndex={0} aria-label="Fields that differ">
        <table>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Saved now</th>
              <th scope="col">Yours</th>
            </tr>
          </thead>
          <tbody>
            {names.map((name) => (
              <tr key={name}>
                <th scope="row">{FIELDS[name]}</th>
                <td class="text" dir="auto">
                  {shown(theirs[name])}
                </td>
                {isUntouched(edited, name) ? (
                  <td class="text soft">unchanged by you, stays as saved</td>
                ) : (
                  <td class="text" dir="auto">
                    {shown(edited.mine[name])}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <div class="actions">
        <button type="button" onClick={saveMine}>
          Save mine
        </button>
        <button type="button" class="quiet" onClick={keepTheirs}>
          Keep theirs
        </button>
        <button type="button" class="quiet" onClick={onClose}>
          Back to editing
        </button>
      </div>
    </Dialog>
  )
}
