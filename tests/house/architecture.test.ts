import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { $, Glob } from 'bun'
import { arrows, kinds, rooms, topics } from './rooms'

// Holds docs/ARCHITECTURE.md: anything that rooms.ts doesn't allow fails.

type SourceFile = { path: string; room: string; kind: string; text: string; imports: Import[] }
type Import = { to: string; isType: boolean }
const IMPORT =
  /^(?:import|export)\s(type\s)?([^'";]*?)from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm

/** `import { type A, type B }` imports types alone. */
const namesTypesOnly = (names: string) => {
  const braces = /^\{([^}]*)\}\s*$/.exec(names.trim())?.[1]
  return braces?.split(',').every((name) => name.trim() === '' || name.trim().startsWith('type ')) ?? false
}

async function readSources(): Promise<SourceFile[]> {
  const paths = await Array.fromAsync(new Glob('src/**/*.{ts,tsx}').scan('.'))
  return Promise.all(
    paths.sort().map(async (path) => {
      const text = await Bun.file(path).text()
      const imports = [...text.matchAll(IMPORT)].map(([, type, names = '', a, b, c]) => {
        const name = a ?? b ?? c ?? ''
        const local = normalize(join(dirname(path), name)).replace(/^src\//, '')
        const to = name.startsWith('.') ? `./${local}`.replace('./node_modules/', '') : name
        return { to, isType: Boolean(type) || namesTypesOnly(names) }
      })
      const inside = path.replace(/^src\//, '').replace(/\.tsx?$/, '')
      return { path: inside, room: roomOf(inside), kind: kindOf(inside), text, imports }
    }),
  )
}
const roomOf = (path: string) => path.split('/')[0] ?? ''
function kindOf(path: string): string {
  const name = path.split('/').at(-1) ?? ''
  if (/(^|-)store$|^columns$/.test(name)) return 'store'
  if (/(^|-)routes$|^guards$|(^|-)docs(-schemas)?$/.test(name)) return 'routes'
  if (/(^|-)metrics$|^figures$/.test(name)) return 'metrics'
  if (/(^|-)service$/.test(name)) return 'service'
  if (name === 'cache') return 'cache'
  return 'model'
}

const sources = await readSources()

function isAllowed({ room, kind, path }: SourceFile, { to, isType }: Import): boolean {
  if (path === 'main') return true
  const isTopic = topics.includes(room)
  const allowed = isTopic ? kinds[kind] : rooms[room]
  if (allowed === undefined) return isFreeRoom(room, to)
  if (!to.startsWith('./')) {
    const name = to.startsWith('@') ? to.split('/').slice(0, 2).join('/') : (to.split('/')[0] ?? '')
    if (/^(node:|bun$|bun:)/.test(to)) return true
    return (allowed.packages ?? []).some((entry) => {
      const [known, ...rest] = entry.split(' ')
      if (known !== name) return false
      return rest.length === 0 || (rest[0] === 'types' ? isType : kind === 'store')
    })
  }
  const target = to.slice(2)
  const targetRoom = roomOf(target)
  if (targetRoom === room) return !(isTopic && kind !== 'routes' && kindOf(target) === 'routes')
  if (isTopic && topics.includes(targetRoom) && targetRoom !== 'audit')
    return (arrows[room] ?? []).includes(targetRoom) && !/(^|\/)routes$/.test(target)
  return allowed.rooms.some((entry) => {
    const [known = '', types] = entry.split(' ')
    return (known === targetRoom || known === target) && (types === undefined || isType)
  })
}

const isForCommands = (to: string) =>
  !/^\.\/(http|openapi|web|console)\/|routes$/.test(to) && !/^(drizzle-orm|elysia|postgres$)/.test(to)

/** The rooms that combine all others. */
const free: Record<string, (to: string) => boolean> = {
  server: (to) =>
    !/^\.\/(cli|moderation|transfer|backup|doctor|console)\//.test(to) && !to.startsWith('drizzle-orm'),
  cli: isForCommands,
  moderation: isForCommands,
}
const isFreeRoom = (room: string, to: string) => free[room]?.(to) ?? false

describe('the house', () => {
  test('each room imports what it may, and nothing else', () => {
    const broken = sources.flatMap((file) =>
      file.imports
        .filter((to) => !isAllowed(file, to))
        .map(({ to, isType }) => `${file.path} imports ${isType ? 'types of ' : ''}${to}`),
    )
    expect(broken).toEqual([])
  })

  test('SQL is only in stores, columns and the rooms of the database', () => {
    const broken = sources.filter(
      ({ room, kind, imports }) =>
        imports.some(({ to }) => to.startsWith('drizzle-orm')) &&
        kind !== 'store' &&
        !['db', 'opening', 'migrations', 'replicas', 'backup'].includes(room),
    )
    expect(broken.map(({ path }) => path)).toEqual([])
  })

  test('imports have no circles', () => {
    const graph = new Map(
      sources.map(({ path, imports }) => [
        path,
        imports.filter(({ to, isType }) => !isType && to.startsWith('./')).map(({ to }) => to.slice(2)),
      ]),
    )
    const done = new Set<string>()
    const circles: string[] = []
    function visit(file: string, trail: string[]) {
      if (trail.includes(file)) circles.push([...trail.slice(trail.indexOf(file)), file].join(' → '))
      if (done.has(file) || trail.includes(file)) return
      for (const next of graph.get(file) ?? []) visit(next, [...trail, file])
      done.add(file)
    }
    for (const file of graph.keys()) visit(file, [])
    expect(circles).toEqual([])
  })

  test('only main.ts touches the process', () => {
    const touching = sources.filter(
      // The console's bundle is made before there is a program.
      ({ path, text }) =>
        !['main', 'console/pack'].includes(path) && /process\.(env|argv|exit\b)|Bun\.env/.test(text),
    )
    expect(touching.map(({ path }) => path)).toEqual([])
  })

  test('timers around a wait are only in waiting.ts', () => {
    const waits = /\bsetTimeout\(|AbortSignal\.timeout\(|Bun\.sleep\(/
    const own = ['waiting', 'log', 'embedded/bridge']
    const broken = sources.filter(
      ({ path, room, text }) => room !== 'console' && !own.includes(path) && waits.test(text),
    )
    expect(broken.map(({ path }) => path)).toEqual([])
  })

  test('only these files use a weak map or a proxy', () => {
    const hiding = sources.filter(({ text }) => /new (WeakMap|Proxy)\b/.test(text))
    expect(hiding.map(({ path }) => path)).toEqual(['db/batch', 'db/driver'])
  })

  test('the top level has only these folders', async () => {
    const files = (await $`git ls-files`.text()).trim().split('\n')
    const folders = new Set(files.filter((path) => /^[^.].*\//.test(path)).map(roomOf))
    expect([...folders].sort()).toEqual(['bench', 'deploy', 'docs', 'drizzle', 'patches', 'src', 'tests'])
  })

  test('no file, no function and no room grows too large', async () => {
    const lines = ({ text }: SourceFile) => text.split('\n').length - 1
    const tables = ['errors', 'db/schema']
    const long = sources.filter((file) => lines(file) > (tables.includes(file.path) ? 300 : 200))
    expect(long.map(({ path }) => path)).toEqual([])
    const sums = Map.groupBy(sources, ({ room }) => room)
    const large = [...sums].filter(
      // Every command of the command line is a file, and so is every format of an import.
      ([room, files]) =>
        !['console', 'transfer'].includes(room) && files.reduce((sum, file) => sum + lines(file), 0) > 1100,
    )
    expect(large.map(([room]) => room)).toEqual([])
    // A format of imports is a file, however short it is.
    const short = sources.filter(
      (file) =>
        lines(file) <= 15 && !/\.d(\.json)?$/.test(file.path) && !file.path.startsWith('transfer/formats/'),
    )
    expect(short.length).toBeLessThanOrEqual(4)
    const tests = await Array.fromAsync(new Glob('tests/**/*.ts').scan('.'))
    const longTests = []
    for (const path of tests) if ((await Bun.file(path).text()).split('\n').length > 351) longTests.push(path)
    expect(longTests).toEqual([])
  })
})

describe('no test depends on an idle machine: it', () => {
  /** The lines of the tests, outside support, that match. */
  async function linesWith(pattern: RegExp) {
    const paths = await Array.fromAsync(new Glob('tests/**/*.ts').scan('.'))
    const found: string[] = []
    for (const path of paths.sort()) {
      if (path.startsWith('tests/support/') || path === 'tests/house/architecture.test.ts') continue
      const text = await Bun.file(path).text()
      for (const [match] of text.matchAll(pattern)) found.push(`${path}: ${match}`)
    }
    return found
  }

  test('waits for an event, with `until`, and never for a time', async () => {
    expect(
      await linesWith(/Bun\.sleep\(|\bsetTimeout\(|AbortSignal\.timeout\(|\bpg_sleep\b(?!\((0\.2|6)\))/g),
    ).toEqual([])
  })

  test('is never retried until it passes', async () => {
    expect(await linesWith(/\bretry:/g)).toEqual([])
  })

  test('asserts no durations', async () => {
    // A time of day may be compared with an earlier one; durations are for the bench.
    const elapsed =
      /expect\([^\n]*(performance\.now\(\) -|Date\.now\(\) -|\b(seconds|elapsed|took|duration\w*)\)\.toBe(Less|Within))[^\n]*/g
    const asserted = /toBe(LessThan|Within)\w*\([^\n)]*_(MS|SECONDS)\b[^\n]*/g
    expect([...(await linesWith(elapsed)), ...(await linesWith(asserted))]).toEqual([])
  })
})

describe('docs/ARCHITECTURE.md', () => {
  const read = (path: string) => Bun.file(path).text()

  test('names an existing test for each invariant', async () => {
    const rows = [
      ...(await read('docs/ARCHITECTURE.md')).matchAll(/^\| .+ \| `([a-z/-]+\.test\.ts)`: (.+) \|$/gm),
    ]
    expect(rows.length).toBeGreaterThan(10)
    for (const [, file = '', name = ''] of rows)
      expect({ file, name, isThere: (await read(`tests/${file}`)).includes(name) }).toEqual({
        file,
        name,
        isThere: true,
      })
  })

  test('names existing files, as the other pages do', async () => {
    const pages = ['README.md', ...(await Array.fromAsync(new Glob('docs/*.md').scan('.')))]
    for (const page of pages) {
      const text = await read(page)
      const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, to = '']) =>
        join(dirname(page), to),
      )
      const named = [...text.matchAll(/`((?:src|tests|drizzle|docs|deploy)\/[\w./-]+\.\w+)`/g)].map(
        ([, to = '']) => to,
      )
      for (const path of [...links, ...named])
        expect({ page, path, isThere: existsSync(path) }).toEqual({ page, path, isThere: true })
    }
  })
})
