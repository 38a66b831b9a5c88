import { within } from '../waiting'

export type Finding = {
  readonly area: string
  readonly status: 'ok' | 'warn' | 'fail'
  readonly what: string
  /** How to mend what is not well. */
  readonly mend?: string
}

export const ok = (area: string, what: string): Finding => ({ area, status: 'ok', what })
export const warn = (area: string, what: string, mend: string): Finding => ({
  area,
  status: 'warn',
  what,
  mend,
})
export const fail = (area: string, what: string, mend: string): Finding => ({
  area,
  status: 'fail',
  what,
  mend,
})

/** What a check finds, or that it took too long. */
export const checkWithin = (
  milliseconds: number,
  area: string,
  check: () => Promise<readonly Finding[]>,
  fix: string,
): Promise<readonly Finding[]> =>
  within(milliseconds, check(), () => [fail(area, `no answer within ${milliseconds / 1000} s`, fix)])
