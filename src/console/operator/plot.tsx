import { useSignal } from '@preact/signals'
import { clockOf } from '../times'

/** Null is unknown: a gap in the line. */
type Value = number | null
type Line = { name?: string; values: readonly Value[] }
type Props = { title: string; unit: string; tone: string; times: readonly string[]; lines: readonly Line[] }

const WIDTH = 300
const HEIGHT = 100

export const numberOf = (value: Value | undefined) =>
  value === undefined || value === null
    ? '–'
    : value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 })

/** A round number at or above the highest value, so that the scale rarely changes. */
function ceiling(highest: number): number {
  if (highest <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(highest))
  return ([1, 2, 2.5, 5, 10].find((step) => step * power >= highest) ?? 10) * power
}

/** "Requests, a second: now 12, highest 30", for each line. */
function nameOf({ title, unit, lines }: Props) {
  const parts = lines.map(({ name, values }) => {
    const known = values.filter((value) => value !== null)
    const highest = known.length > 0 ? Math.max(...known) : undefined
    return `${name ? `${name} ` : ''}now ${numberOf(values.at(-1))}, highest ${numberOf(highest)}`
  })
  return `${title}, ${unit}: ${parts.join('; ')}`
}

/** One hour of lines. The pointer or the arrow keys read single points. */
export function Plot(props: Props) {
  const { title, unit, tone, times, lines } = props
  const at = useSignal<number | undefined>(undefined)
  const last = times.length - 1
  const index = at.value === undefined ? last : Math.min(at.value, last)
  const top = ceiling(Math.max(0, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0))))
  const x = (point: number) => (point / Math.max(1, last)) * WIDTH
  const y = (value: number) => HEIGHT - (value / top) * HEIGHT
  const path = (values: readonly Value[]) =>
    values
      .map((value, point) => {
        if (value === null) return ''
        const isStart = point === 0 || values[point - 1] === null
        return `${isStart ? 'M' : 'L'}${x(point).toFixed(1)} ${y(value).toFixed(1)}`
      })
      .join('')
  /** With gaps in the line, the area would be wrong. */
  const hasArea = lines.length === 1 && !lines[0]?.values.includes(null)
  function onPointerMove({ clientX, currentTarget }: PointerEvent) {
    if (!(currentTarget instanceof Element)) return
    const { left, width } = currentTarget.getBoundingClientRect()
    at.value = Math.max(0, Math.min(last, Math.round(((clientX - left) / width) * last)))
  }
  function onKeyDown(event: KeyboardEvent) {
    const to = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: last }[event.key]
    if (to !== undefined) event.preventDefault()
    if (event.key === 'Escape') at.value = undefined
    else if (to !== undefined) at.value = Math.max(0, Math.min(last, to))
  }
  return (
    <figure class={`plot tone-${tone}`}>
      <figcaption>
        <span class="plot-title">{title}</span>
        <Values lines={lines} index={index} unit={unit} />
      </figcaption>
      <div class="canvas">
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={nameOf(props)}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys read a moment of the plot
          tabIndex={0}
          onPointerMove={onPointerMove}
          onPointerLeave={() => {
            at.value = undefined
          }}
          onKeyDown={onKeyDown}
          onBlur={() => {
            at.value = undefined
          }}
        >
          <path class="grid-line" d={`M0 ${HEIGHT / 2}H${WIDTH}M0 0.5H${WIDTH}`} />
          {last > 0 && hasArea && <path class="area" d={`${path(lines[0]?.values ?? [])}V${HEIGHT}H0Z`} />}
          {last > 0 &&
            lines.map(({ name, values }, number) => (
              <path key={name} class={`line line-${number}`} d={path(values)} />
            ))}
          {at.value !== undefined && <path class="cursor" d={`M${x(index).toFixed(1)} 0V${HEIGHT}`} />}
        </svg>
        <span class="top">{numberOf(top)}</span>
        <span class="bottom">0</span>
      </div>
      <p class="moment" role={at.value === undefined ? undefined : 'status'}>
        {at.value === undefined ? (
          <>
            <span>{clockOf(times[0])}</span>
            <span>{clockOf(times[last])}</span>
          </>
        ) : (
          <span>{clockOf(times[index])}</span>
        )}
      </p>
    </figure>
  )
}

const Values = ({ lines, index, unit }: { lines: readonly Line[]; index: number; unit: string }) => (
  <>
    {lines.map(({ name, values }, number) => (
      <span key={name} class={`value value-${number}`}>
        <strong>{numberOf(values[index])}</strong> <small>{name ?? unit}</small>
      </span>
    ))}
    {lines.length > 1 && <small class="unit">{unit}</small>}
  </>
)
