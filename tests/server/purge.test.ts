import { expect, test } from 'bun:test'
import { createLog } from '../../src/log'
import { startPurge } from '../../src/server/purge'
import { until } from '../support/until'

/** What the log says of a purge whose connection ends, before or after the stop. */
async function toldOf(isStopped: boolean) {
  const lines: string[] = []
  const connection = Promise.withResolvers<never>()
  const stop = startPurge(
    () => connection.promise,
    1,
    createLog('debug', (line) => lines.push(line())),
  )
  if (isStopped) stop()
  connection.reject(new Error('the connection ended'))
  await until(() => lines.length)
  stop()
  const { level, message } = JSON.parse(lines.join())
  return `${level}: ${message}`
}

test('a daily purge that fails is a warning, and one that a stop ends is none', async () => {
  expect(await toldOf(false)).toBe('warn: the daily purge failed; the next try is tomorrow')
  expect(await toldOf(true)).toBe('info: the stop ended the daily purge; the next start repeats it')
})
