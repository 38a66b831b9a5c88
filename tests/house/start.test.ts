import { afterAll, beforeAll, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import manifest from '../../package.json'
import { withFaults } from '../support/faults'

// The README's first command in a fresh clone: no node_modules, no settings.

const ROOT = join(import.meta.dir, '..', '..')
const CLONED = ['package.json', 'bun.lock', 'patches', 'drizzle', 'src']
const PACKED = 'src/embedded/cluster.tar.zst'
/** Nothing listens on port 1. */
const NO_REGISTRY = { BUN_CONFIG_REGISTRY: 'http://127.0.0.1:1' }
const A_FULL_INSTALL_MS = 300_000

let folder: string
beforeAll(async () => {
  if (!withFaults) return
  folder = await mkdtemp(join(tmpdir(), 'redlight-test-'))
  for (const name of CLONED) await cp(join(ROOT, name), join(folder, name), { recursive: true })
})
afterAll(() => withFaults && rm(folder, { recursive: true }))

function spawn(args: string[], env: Record<string, string> = {}) {
  const PATH = `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}`
  return Bun.spawn([process.execPath, ...args], {
    cwd: folder,
    env: { PATH, HOME: process.env.HOME ?? '', PORT: '0', ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
    // In a process group, because the script's shell doesn't pass signals on.
    detached: true,
  })
}

/** Runs `bun run start` until it responds, then ends it; returns its output. */
async function start(env?: Record<string, string>): Promise<string> {
  const child = spawn(['run', 'start'], env)
  let printed = ''
  let answered: number | undefined
  // Until the end of its output, when all its processes have ended.
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    printed += text
    const [, url] = /"message":"listening","url":"([^"]+)"/.exec(printed) ?? []
    if (url === undefined || answered !== undefined) continue
    answered = (await fetch(new URL('/v1/healthcheck', url))).status
    process.kill(-child.pid, 'SIGTERM')
  }
  if (answered === undefined) throw new Error(`it never listened: ${printed}`)
  expect(answered).toBe(200)
  return printed
}

const installed = async () =>
  new Set((await readdir(join(folder, 'node_modules'))).filter((name) => !name.startsWith('.')))

test.skipIf(!withFaults)(
  'a fresh clone says that it installs, and serves with the packed cluster of the repository',
  async () => {
    const printed = await start()
    expect(printed).toContain('packages installed')
    expect(printed).not.toContain('Packing')
  },
  A_FULL_INSTALL_MS,
)

test.skipIf(!withFaults)(
  'it has installed no more than serving needs, and the driver is patched',
  async () => {
    const packages = await installed()
    const tools = Object.keys(manifest.devDependencies).filter((name) =>
      existsSync(join(folder, 'node_modules', name)),
    )
    expect(tools).toEqual([])
    // Elysia's peers that only compilers or uploads need.
    for (const peer of ['typescript', '@types', 'file-type']) expect(packages).not.toContain(peer)
    expect(await Bun.file(join(folder, 'node_modules/postgres/src/connection.js')).text()).toContain(
      'Redlight',
    )
  },
)

test.skipIf(!withFaults)(
  'the second start needs no registry, and packs a cluster that is missing',
  async () => {
    await rm(join(folder, PACKED))
    const printed = await start(NO_REGISTRY)
    expect(printed).toContain('(no changes)')
    expect(printed).toContain('Packing the embedded database')
    expect(existsSync(join(folder, PACKED))).toBeTrue()
  },
  A_FULL_INSTALL_MS,
)

test.skipIf(!withFaults)(
  'the tests install the rest, and a start keeps it',
  async () => {
    const [, install] = /^(bun install [^&]+) &&/.exec(manifest.scripts.test) ?? []
    expect(await spawn(install?.split(' ').slice(1) ?? []).exited).toBe(0)
    const whole = await installed()
    expect(whole).toContain('typescript')
    await start(NO_REGISTRY)
    expect(await installed()).toEqual(whole)
  },
  A_FULL_INSTALL_MS,
)
