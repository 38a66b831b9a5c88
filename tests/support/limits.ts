import { expect } from 'bun:test'
import type { Config } from '../../src/config/config'
import type { Timing } from '../../src/server/compose'
import type { Answer } from './server'

/** Buckets are never refilled during a test. */
export const stoppedClock: Timing = { now: () => 1e6, date: Date.now }

/** Only the given limits. */
export const limits = (some: Partial<Config['limiter']>): Config['limiter'] => ({
  enabled: true,
  requestsPerSecond: 0,
  burst: 5,
  signInsPerMinute: 0,
  failedSignInsPerMinute: 0,
  accountFailuresPerMinute: 0,
  registrationsPerMinute: 0,
  mailsPerMailboxPerHour: 0,
  mailsPerAddressPerHour: 0,
  exempt: ['127.0.0.1', '192.0.2.0/24'],
  keyRequestsPerSecond: 0,
  keyBurst: 5,
  ...some,
})
export const SLOW = 0.01

let addresses = 0
/** A new client address. */
export const newAddress = () => `203.0.${113 + (++addresses >> 8)}.${addresses & 255}`
export const from = (forwardedFor: string) => ({ 'X-Forwarded-For': forwardedFor })
export const statusesOf = (answers: { status: number }[]) => answers.map(({ status }) => status)
export const count = (statuses: number[], status: number) => statuses.filter((each) => each === status).length

export function expectRefusal(
  { status, text, headers }: Answer,
  name: string,
  policy: string,
  retryAfter: number,
) {
  expect([status, text]).toEqual([429, '{"error":"rate limit exceeded"}'])
  expect(headers.get('retry-after')).toBe(String(retryAfter))
  expect(headers.get('ratelimit')).toBe(`"${name}";r=0;t=${headers.get('retry-after')}`)
  expect(headers.get('ratelimit-policy')).toBe(`"${name}";${policy}`)
  expect(headers.get('x-request-id')).toBeTruthy()
}
