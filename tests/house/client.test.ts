import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withFaults } from '../support/faults'
import { startTestServer, type TestServer, type TestUser } from '../support/server'

// The client of docs/ in an empty folder, built with the commands in its first lines.

const DOCS = join(import.meta.dir, '..', '..', 'docs')
const TSC = join(import.meta.dir, '..', '..', 'node_modules/.bin/tsc')
const INSTALLS_MS = 300_000
const isRun = withFaults && Bun.which('npm') !== null
if (!isRun) console.warn('left out: the commands of the client, which need npm and FAULTS=1')

let server: TestServer
let user: TestUser
let folder: string
let commands: { node: string; tsc: string }
beforeAll(async () => {
  if (!isRun) return
  server = await startTestServer({}, { keepMovies: true })
  user = await server.newUser()
  folder = await mkdtemp(join(tmpdir(), 'redlight-test-'))
  const client = await Bun.file(join(DOCS, 'client.mts')).text()
  const lines = [...client.matchAll(/^\/\/ {3}(.+)$/gm)].map(([, line = '']) =>
    line.replaceAll('http://localhost:4000', server.url.origin),
  )
  for (const name of ['client.mts', 'client-demo.mts']) await cp(join(DOCS, name), join(folder, name))
  const node = lines.pop() ?? ''
  commands = { node, tsc: lines.at(-1) ?? '' }
  for (const line of lines) expect(await run(line)).toMatchObject({ line, code: 0 })
}, INSTALLS_MS)
afterAll(async () => {
  await server?.stop()
  if (folder !== undefined) await rm(folder, { recursive: true })
})

async function run(line: string) {
  const child = Bun.spawn(['sh', '-c', line], {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      npm_config_prefer_offline: 'true',
      npm_config_audit: 'false',
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, error] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { line, code: await child.exited, out, error }
}

/** Runs the demonstration, first with a wrong password, and compares its output with its effects. */
async function expectDemonstration(command: string) {
  const as = (password: string) =>
    run(command.replace('alice@example.com pa55word-of-alice', `${user.email} '${password}'`))
  expect((await as('wrong')).error).toContain('401 "invalid authentication credentials"')
  const { code, out, error } = await as(user.password)
  expect({ code, error }).toEqual({ code: 0, error: '' })
  expect(out).toContain('1 Moana 2016\n')
  expect(out).toMatch(/synopsis: ["']All of My Holiday of \d+\.["']/)
  expect(out).toMatch(/version: 2,?\n/)
  expect(out).toMatch(/total_records: \d+,?\n/)
}

describe.skipIf(!isRun)('the client in an empty folder', () => {
  test('works under Node, compiled by tsc', () => expectDemonstration(commands.node), INSTALLS_MS)

  test('works under Bun', () =>
    expectDemonstration(commands.node.replace('node client-demo.mjs', `${process.execPath} client-demo.mts`)))

  test('works under Node without a compiler, if Node reads TypeScript', async () => {
    const { out } = await run('node -p process.features.typescript')
    if (out.trim() !== 'strip') return console.log('not run: this Node does not read TypeScript')
    await expectDemonstration(commands.node.replace('client-demo.mjs', 'client-demo.mts'))
  })

  test(
    'does not compile with anything that the document does not have',
    async () => {
      const client = await Bun.file(join(folder, 'client.mts')).text()
      const demo = await Bun.file(join(folder, 'client-demo.mts')).text()
      const mistakes = {
        path: [demo, "'/v1/users/me/favourites'", "'/v1/favourites'"],
        field: [demo, "runtime: '12 mins'", 'runtime: 12'],
        parameter: [client, 'page_size: 100', "page_size: 'all'"],
        answer: [client, 'metadata.last_page', 'metadata.pages'],
      } as const
      const names = Object.keys(mistakes)
      for (const [name, [text, right, wrong]] of Object.entries(mistakes))
        await Bun.write(join(folder, `${name}.mts`), text.replace(right, wrong))
      const files = names.map((name) => `${name}.mts`).join(' ')
      // Our own compiler is ten times as fast; the test above uses the documented one.
      const { code, out } = await run(
        commands.tsc.replace('npx tsc', TSC).replace('client-demo.mts', `--noEmit ${files}`),
      )
      expect(code).not.toBe(0)
      const refused = new Set([...out.matchAll(/^(\w+)\.mts\(/gm)].map(([, name]) => name))
      expect([...refused].sort()).toEqual(names.sort())
    },
    INSTALLS_MS,
  )
})
