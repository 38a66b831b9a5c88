import type { Colours } from './colours'

export type Progress = {
  /** Adds to the count. */
  advance(count?: number): void
  /** Sets count and total, for work that learns its total on the way. */
  reach(done: number, total: number): void
  /** Removes the bar, so that the next output starts on a clean line; `using` calls it. */
  end(): void
  [Symbol.dispose](): void
}
/** Starts a bar; without a total it shows only the count and the time. */
export type StartProgress = (label: string, total?: number) => Progress

export type Terminal = {
  write: (text: string) => void
  columns: () => number | undefined
  colours: Colours
}

const SILENT_MS = 1000
const REDRAW_MS = 200
const USUAL_COLUMNS = 80
const CLEAR = '\r\x1b[K'

/** Bars on a terminal, for work of over a second; elsewhere, none. */
export function createProgress(terminal: Terminal | undefined, now = () => performance.now()): StartProgress {
  if (terminal === undefined) return () => ({ advance() {}, reach() {}, end() {}, [Symbol.dispose]() {} })
  return (label, expected) => {
    const startedAt = now()
    let drawnAt = Number.NEGATIVE_INFINITY
    let done = 0
    let total = expected
    let isOver = false

    function draw() {
      const at = now()
      if (isOver || at - startedAt < SILENT_MS || at - drawnAt < REDRAW_MS) return
      drawnAt = at
      const state = { label, done, total, seconds: (at - startedAt) / 1000 }
      terminal?.write(CLEAR + drawing(state, (terminal.columns() || USUAL_COLUMNS) - 1, terminal.colours))
    }

    // The time shown keeps running during a long step.
    const timer = setInterval(draw, REDRAW_MS)
    timer.unref()
    function end() {
      if (isOver) return
      isOver = true
      clearInterval(timer)
      if (drawnAt > startedAt) terminal?.write(CLEAR)
    }
    return {
      advance(count = 1) {
        done += count
        draw()
      },
      reach(reached, of) {
        done = reached
        total = of
        draw()
      },
      end,
      [Symbol.dispose]: end,
    }
  }
}

type State = { label: string; done: number; total: number | undefined; seconds: number }

const MIN_BAR = 8
const MAX_BAR = 30

/** One line, no wider than the terminal: what doesn't fit is dropped, the bar first. */
function drawing({ label, done, total, seconds }: State, width: number, { cyan, dim }: Colours): string {
  const rate = done / seconds
  const perSecond = done > 0 ? `${number(rate)}/s` : ''
  if (total === undefined || total === 0) {
    const count = done > 0 ? number(done) : ''
    return [label, count, perSecond, time(seconds)].filter(Boolean).join('  ').slice(0, width)
  }
  const share = Math.min(1, done / total)
  const left = done > 0 ? `${time(Math.max(0, total - done) / rate)} left` : time(seconds)
  const figures = [
    `${Math.floor(share * 100)}%`.padStart(4),
    `${number(done)}/${number(total)}`,
    perSecond,
    left,
  ]
  const text = figures.filter(Boolean).join('  ')
  const room = Math.min(MAX_BAR, width - label.length - text.length - 2)
  if (room < MIN_BAR) return `${label} ${text}`.slice(0, width)
  const filled = Math.floor(share * room)
  return `${label} ${cyan('█'.repeat(filled))}${dim('░'.repeat(room - filled))} ${text}`
}

const number = (value: number) =>
  value < 10 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value).toLocaleString('en')

function time(seconds: number): string {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole}s`
  const minutes = Math.floor(whole / 60)
  return minutes < 60 ? `${minutes}m ${whole % 60}s` : `${Math.floor(minutes / 60)}h ${minutes % 60}m`
}
