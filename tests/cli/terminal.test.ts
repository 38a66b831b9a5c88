import { afterAll, describe, expect, test } from 'bun:test'
import { steps } from '../../src/cli/backup'
import { createColours } from '../../src/terminal/colours'
import { createProgress } from '../../src/terminal/progress'
import { newFilledFolder, removeFolders } from '../support/embedded'
import { executable } from '../support/executable'

// Commands on a terminal: the log is for people there, and closing the terminal ends the process.

const running: Bun.Subprocess[] = []
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL')
  await removeFolders()
})

/** Starts `redlight serve` on a terminal; resolves once the service listens. */
async function serveOnTerminal() {
  const listening = Promise.withResolvers<void>()
  const decoder = new TextDecoder()
  let text = ''
  const child = Bun.spawn([executable, 'serve'], {
    env: { PATH: process.env.PATH ?? '', TERM: 'xterm', PORT: '0', DATA_DIR: await newFilledFolder() },
    terminal: {
      cols: 80,
      rows: 24,
      data(_, bytes) {
        text += decoder.decode(bytes, { stream: true })
        if (text.includes('listening')) listening.resolve()
      },
    },
  })
  running.push(child)
  child.exited.then(() => listening.reject(new Error(`it ended: ${text}`)))
  await listening.promise
  return child
}

describe('a terminal', () => {
  test('that is closed ends the service', async () => {
    const child = await serveOnTerminal()
    child.terminal?.close()
    expect(await child.exited).toBe(0)
  })

  test('makes SIGHUP end the service as SIGTERM does', async () => {
    const child = await serveOnTerminal()
    child.kill('SIGHUP')
    expect(await child.exited).toBe(0)
  })
})

test('a verified backup shows one bar at a time', async () => {
  const drawn: string[] = []
  let milliseconds = 0
  const terminal = {
    write: (text: string) => drawn.push(text),
    columns: () => 80,
    colours: createColours(false),
  }
  const progress = createProgress(terminal, () => milliseconds)
  const step = steps({ progress, untilSignal: () => new Promise(() => {}) })
  await step('writing', undefined, async (onWritten) => {
    milliseconds += 2000
    onWritten(1)
    await step('verifying', 2, async (onVerified) => {
      milliseconds += 2000
      onWritten(1)
      onVerified(1)
    })
    milliseconds += 2000
    onWritten(1)
  })
  expect(drawn.map((text) => text.replace('\r\x1b[K', '').split(' ')[0])).toEqual([
    'writing',
    '',
    'verifying',
    '',
  ])
})
