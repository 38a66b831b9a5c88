import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { newFilledFolder, removeFolders } from '../support/embedded'
import { areFaultsWanted } from '../support/faults'
import { canReceive, receiveAt } from '../support/notify-socket'
import { freePort } from '../support/postgres'
import { type Program, quietSettings, runProgram, startProgram } from '../support/program'

// A host whose environment names a proxy for outgoing requests: those of the service to itself must not use it.
setDefaultTimeout(240_000)

let asked = 0
const proxy = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch() {
    asked++
    return new Response('{"status":"available"}')
  },
})
const names = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy']
const through = (url: URL) => Object.fromEntries(names.map((name) => [name, url.origin]))

let program: Program | undefined
let receiver: Awaited<ReturnType<typeof receiveAt>> | undefined
const start = async (more: Record<string, string>) => {
  program = await startProgram({ ...quietSettings, DATA_DIR: await newFilledFolder(), ...more })
  return program.url
}

beforeAll(async () => {
  if (!areFaultsWanted) return
  // Bun's own requests do use it; otherwise the rest would prove nothing.
  const child = Bun.spawn([process.execPath, '-e', 'await fetch("http://127.0.0.1:1/")'], {
    env: through(proxy.url),
    stderr: 'ignore',
  })
  expect([await child.exited, asked]).toEqual([0, 1])
  asked = 0
})
afterEach(async () => {
  program?.kill('SIGKILL')
  await program?.exited
  await receiver?.close()
  program = receiver = undefined
  expect(asked).toBe(0)
})
afterAll(async () => {
  await proxy.stop(true)
  await removeFolders()
})

test.skipIf(!areFaultsWanted).each(['127.0.0.1', '::1', '0.0.0.0'])(
  'redlight healthcheck asks the service at %s directly',
  async (HOST) => {
    const { port: PORT } = await start({ HOST })
    for (const url of [proxy.url, new URL('http://127.0.0.1:1')])
      expect(await runProgram({ HOST, PORT, ...through(url) }, ['healthcheck'])).toMatchObject({
        exitCode: 0,
        stdout: 'available\n',
        stderr: '',
      })
  },
)

test.skipIf(!areFaultsWanted)('an answer of the proxy does not make a missing service healthy', async () => {
  const PORT = String(await freePort())
  expect(await runProgram({ PORT, ...through(proxy.url) }, ['healthcheck'])).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringContaining(`nothing answers at http://127.0.0.1:${PORT}/v1/healthcheck`),
  })
})

test.skipIf(!(canReceive && areFaultsWanted))(
  'the watchdog gets pings although the proxy is away',
  async () => {
    const NOTIFY_SOCKET = `@redlight-${crypto.randomUUID()}`
    receiver = await receiveAt(NOTIFY_SOCKET)
    await start({ NOTIFY_SOCKET, WATCHDOG_USEC: '1000000', ...through(new URL('http://127.0.0.1:1')) })
    await receiver.until(/^WATCHDOG=1$/, 2)
  },
)
