import { afterAll, beforeAll, expect, mock, test } from 'bun:test'
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as typescript6 from '@typescript/typescript6'
import { startTestServer, type TestServer } from '../support/server'

// The generator writes through the compiler's interface, which TypeScript 7 no longer has.
mock.module('typescript', () => ({ ...typescript6, default: typescript6 }))

const ROOT = join(import.meta.dir, '..')
const TSCONFIG = {
  compilerOptions: {
    target: 'ESNext',
    module: 'ESNext',
    moduleResolution: 'bundler',
    strict: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    types: ['bun'],
  },
  include: ['*.ts'],
}

let server: TestServer
let folder: string
beforeAll(async () => {
  server = await startTestServer({}, { keepFilms: true })
  folder = await mkdtemp(join(tmpdir(), 'redlight-test-'))
  const { default: openapi, astToString } = await import('openapi-typescript')
  await Bun.write(
    join(folder, 'redlight.d.ts'),
    astToString(await openapi(new URL('/docs/json', server.url))),
  )
  await cp(join(ROOT, 'docs/client.ts'), join(folder, 'client.ts'))
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  await Bun.write(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG))
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

async function run(...args: string[]) {
  const child = Bun.spawn([process.execPath, ...args], { cwd: folder, stdout: 'pipe', stderr: 'pipe' })
  const [out, error, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { code, out, error }
}
const check = () => run('node_modules/.bin/tsc', '--project', '.')

test('the types made from the document compile, and so does the client that uses them', async () => {
  expect(await check()).toEqual({ code: 0, out: '', error: '' })
})

test('the types refuse what the document does not have', async () => {
  const client = await Bun.file(join(folder, 'client.ts')).text()
  const mistakes = {
    path: client.replace("'/v1/users/me/favourites'", "'/v1/favourites'"),
    parameter: client.replace('page_size: 100', "page_size: 'all'"),
    field: client.replace("runtime: '12 mins'", 'runtime: 12'),
    answer: client.replace('metadata.last_page', 'metadata.pages'),
  }
  for (const [name, text] of Object.entries(mistakes)) await Bun.write(join(folder, `${name}.ts`), text)
  const { code, out } = await check()
  for (const name of Object.keys(mistakes)) await rm(join(folder, `${name}.ts`))
  expect(code).not.toBe(0)
  const refused = new Set([...out.matchAll(/^(\w+)\.ts\(/gm)].map(([, name]) => name))
  expect([...refused].sort()).toEqual(Object.keys(mistakes).sort())
})

test('the client works on the service', async () => {
  const { email, password } = await server.newUser()
  const { code, out, error } = await run('client.ts', server.url.origin, email, password)
  expect({ code, error }).toEqual({ code: 0, error: '' })
  expect(out).toContain('1 Moana 2016\n')
  expect(out).toMatch(/synopsis: "All of My Holiday of \d+\."/)
  expect(out).toMatch(/version: 2,/)
  expect(out).toMatch(/total_records: 1,/)
  const wrong = await run('client.ts', server.url.origin, email, 'wrong')
  expect(wrong.error).toContain('401 "invalid authentication credentials"')
})
