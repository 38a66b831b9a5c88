import { within } from '../waiting'

export type Finding = {
  readonly area: string
  readonly status: 'ok' | 'warn' | 'fail'
  readonly what: string
  /** Suggested fix. */
  readonly fix?: string
}

export const ok = (area: string, what: string): Finding => ({ area, status: 'ok', what })
export const warn = (area: string, what: string, fix: string): Finding => ({
  area,
  status: 'warn',
  what,
  fix,
})
export const fail = (area: string, what: string, fix: string): Finding => ({
  area,
  status: 'fail',
  what,
  fix,
})

/** The findings of a check, or that it timed out. */
export const checkWithin = (
  milliseconds: number,
  area: string,
  check: () => Promise<readonly Finding[]>,
  fix: string,
): Promise<readonly Finding[]> =>
  within(milliseconds, check(), () => [fail(area, `no answer within ${milliseconds / 1000} s`, fix)])
