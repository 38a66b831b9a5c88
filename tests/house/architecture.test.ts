import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { Glob } from 'bun'

// The rules of docs/ARCHITECTURE.md: what a file may import follows from its folder (the topic) and its name (the power).

type SourceFile = { path: string; text: string; imports: string[]; packages: string[] }

const IMPORT = /^(?:import|export)\s[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm

async function readSources(): Promise<SourceFile[]> {
  const paths = await Array.fromAsync(new Glob('src/**/*.ts').scan('.'))
  return Promise.all(
    paths.sort().map(async (path) => {
      const text = await Bun.file(path).text()
      const found = [...text.matchAll(IMPORT)].map(([, a, b, c]) => a ?? b ?? c ?? '')
      const local = found
        .filter((name) => name.startsWith('.'))
        .map((name) => normalize(join(dirname(path), name)))
      return { path, text, imports: local, packages: found.filter((name) => !name.startsWith('.')) }
    }),
  )
}

const sources = await readSources()
const topics = ['movies', 'favourites', 'users', 'tokens', 'permissions', 'health']
const arrows: Record<string, string[]> = {
  users: ['tokens', 'permissions'],
  tokens: ['permissions'],
  favourites: ['movies'],
}
const topicOf = (path: string) => topics.find((topic) => path.startsWith(`src/${topic}/`))
const powerOf = (path: string) => /([a-z]+)(?:\.ts)?$/.exec(path)?.[1] ?? ''

/** Files whose path matches must import nothing that `forbidden` matches. */
const rules: { files: RegExp; forbidden: RegExp; why: string }[] = [
  { files: /routes$/, forbidden: /^(drizzle-orm|nodemailer|postgres)/, why: 'routes know no database' },
  { files: /service$/, forbidden: /^(elysia|drizzle-orm|postgres)/, why: 'services know no HTTP and no SQL' },
  { files: /store$/, forbidden: /^(elysia|nodemailer)/, why: 'stores know no HTTP' },
  {
    files: /model$/,
    forbidden: /^(elysia|drizzle-orm|postgres|nodemailer)|^src\/(db|http|cli|mail)\//,
    why: 'models are pure',
  },
  { files: /^src\/app$/, forbidden: /^(drizzle-orm|postgres)/, why: 'the app knows no SQL' },
  { files: /^src\/mail\//, forbidden: /^elysia|^src\/http\//, why: 'mail knows no HTTP' },
  {
    files: /^src\/db\//,
    forbidden: new RegExp(`^elysia|^src/(http|cli|mail|${topics.join('|')})/`),
    why: 'the database knows no topic',
  },
  {
    files: /^src\/backup\//,
    forbidden: new RegExp(`^elysia|^src/(http|cli|mail|${topics.join('|')})/`),
    why: 'a backup knows tables and no topic',
  },
  {
    files: /^src\/doctor\//,
    forbidden: new RegExp(`^(elysia|drizzle-orm|postgres|nodemailer)|^src/(http|cli|${topics.join('|')})/`),
    why: 'the doctor asks those who know',
  },
  {
    files: /^src\/http\//,
    forbidden: /^(drizzle-orm|postgres)|^src\/(db|mail|cli)\/|(store|service|routes)$/,
    why: 'http gets what it needs handed in',
  },
  { files: /^src\/cli\//, forbidden: /^(elysia|drizzle-orm)/, why: 'commands use services and stores' },
  {
    files: /^src\/[a-z-]+$/,
    forbidden: new RegExp(`^src/(${topics.join('|')})/`),
    why: 'what all share knows no topic',
  },
]
const free = ['src/main', 'src/app']

describe('the house', () => {
  test('imports follow the rules', () => {
    const broken = sources.flatMap(({ path, imports, packages }) => {
      const name = path.replace(/\.ts$/, '')
      return rules
        .filter(({ files, why }) => files.test(name) && !(free.includes(name) && why.startsWith('what all')))
        .flatMap(({ forbidden, why }) =>
          [...imports, ...packages]
            .filter((to) => forbidden.test(to))
            .map((to) => `${path} imports ${to}: ${why}`),
        )
    })
    expect(broken).toEqual([])
  })

  test('topics import each other along the arrows only, and never routes', () => {
    const broken = sources.flatMap(({ path, imports }) => {
      const from = topicOf(path)
      return imports
        .filter((to) => {
          const target = topicOf(to)
          if (from === undefined || target === undefined || target === from) return false
          return powerOf(to) === 'routes' || (powerOf(to) !== 'model' && !arrows[from]?.includes(target))
        })
        .map((to) => `${path} imports ${to}`)
    })
    expect(broken).toEqual([])
  })

  test('no import goes round in a circle', () => {
    const graph = new Map(
      sources.map(({ path, text }) => [path.replace(/\.ts$/, ''), valueImports(path, text)]),
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

  test('main.ts alone touches the process', () => {
    const touching = sources.filter(
      ({ path, text }) => path !== 'src/main.ts' && /process\.(env|argv|exit\b)|Bun\.env/.test(text),
    )
    expect(touching.map(({ path }) => path)).toEqual([])
  })

  test('no file is over 200 lines', () => {
    expect(sources.filter(({ text }) => text.split('\n').length > 201).map(({ path }) => path)).toEqual([])
  })
})

describe('docs/ARCHITECTURE.md', () => {
  const read = (path: string) => Bun.file(path).text()

  test('names for each invariant a test that is there', async () => {
    const rows = [
      ...(await read('docs/ARCHITECTURE.md')).matchAll(/^\| .+ \| `([a-z-]+\.test\.ts)`: (.+) \|$/gm),
    ]
    expect(rows.length).toBeGreaterThan(10)
    for (const [, file = '', name = ''] of rows)
      expect({ file, name, isThere: (await read(`tests/${file}`)).includes(name) }).toEqual({
        file,
        name,
        isThere: true,
      })
  })

  test('names files that are there, and so do the pages beside it', async () => {
    const pages = ['README.md', ...(await Array.fromAsync(new Glob('docs/*.md').scan('.')))]
    for (const page of pages) {
      const text = await read(page)
      const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, to = '']) =>
        join(dirname(page), to),
      )
      const named = [...text.matchAll(/`((?:src|tests|drizzle|docs|deploy)\/[\w./-]+\.\w+)`/g)].map(
        ([, to = '']) => to,
      )
      const inSource = [...text.matchAll(/`((?:http|db|cli|movies|users|mail|tokens)\/[\w-]+\.ts)`/g)].map(
        ([, to]) => `src/${to}`,
      )
      for (const path of [...links, ...named, ...inSource])
        expect({ page, path, isThere: existsSync(path) }).toEqual({ page, path, isThere: true })
    }
  })
})

/** Types are gone at run time, so they make no circle. */
function valueImports(path: string, text: string): string[] {
  return [...text.matchAll(/^(?:import|export)\s+(?!type\b)[^'"]*?from\s+'(\.[^']+)'/gm)].map(
    ([, name = '']) => normalize(join(dirname(path), name)),
  )
}
