import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import Ajv from 'ajv'
import addFormats from 'ajv-formats'
import { $, Glob } from 'bun'
import { createSbom } from '../../deploy/release/sbom'
import manifest from '../../package.json'
import { withFaults } from '../support/faults'

const ROOT = join(import.meta.dir, '..', '..')
const SCHEMAS = join(ROOT, 'node_modules/@cyclonedx/cyclonedx-library/res/schema')
const BUILDS_MS = 300_000

let sbom: Awaited<ReturnType<typeof createSbom>>
let folder: string
beforeAll(async () => {
  sbom = await createSbom(ROOT, new Date('2026-11-27T12:00:00Z'))
  folder = await mkdtemp(join(tmpdir(), 'redlight-test-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('the SBOM is valid CycloneDX 1.6', async () => {
  const ajv = new Ajv({ strict: false, allErrors: true })
  addFormats(ajv)
  // Formats of internationalised texts, which this document doesn't have.
  for (const format of ['idn-email', 'iri-reference']) ajv.addFormat(format, true)
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs'].map((each) => `${each}.SNAPSHOT.schema.json`))
    ajv.addSchema(await Bun.file(join(SCHEMAS, name)).json(), `http://cyclonedx.org/schema/${name}`)
  const isValid = ajv.compile(await Bun.file(join(SCHEMAS, 'bom-1.6.SNAPSHOT.schema.json')).json())
  isValid(JSON.parse(JSON.stringify(sbom)))
  expect(isValid.errors ?? []).toEqual([])
})

test('the SBOM names every package whose code is in the executable, with its version', async () => {
  const bundle = await Bun.build({
    entrypoints: [join(ROOT, 'src/main.ts')],
    target: 'bun',
    metafile: true,
    root: ROOT,
  })
  const inside = new Set(
    Object.keys(bundle.metafile?.inputs ?? {}).flatMap(
      (path) => /.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? [],
    ),
  )
  expect(inside.size).toBeGreaterThan(20)
  const named = new Set(sbom.components.map(({ name, version }) => `${name} ${version}`))
  const missing: string[] = []
  for (const path of inside) {
    const { name, version } = await Bun.file(join(ROOT, path, 'package.json')).json()
    if (!named.has(`${name} ${version}`)) missing.push(`${name} ${version}`)
  }
  expect(missing).toEqual([])
  // These two are used during the build.
  expect(sbom.components.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['@zxcvbn-ts/language-common', 'bun']),
  )
})

test('the SBOM names no tools, and all its references exist', () => {
  const names = new Set<string>(sbom.components.map(({ name }) => name))
  const tools = Object.keys(manifest.devDependencies).filter((name) => name !== 'bun')
  expect(tools.filter((name) => names.has(name))).toEqual([])
  const refs = new Set(sbom.components.map((each) => each['bom-ref']))
  expect(refs.size).toBe(sbom.components.length)
  expect(sbom.dependencies.flatMap(({ dependsOn }) => dependsOn).filter((ref) => !refs.has(ref))).toEqual([])
})

test.skipIf(!withFaults)(
  'a release builds what it can, starts what runs here, and reports what it could not build',
  async () => {
    const here = `${process.platform}-${process.arch}`
    // Another machine's runtime, which is neither cached nor reachable.
    const away = here === 'linux-arm64' ? 'darwin-arm64' : 'linux-arm64'
    const env = {
      PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}`,
      HOME: process.env.HOME ?? '',
      RELEASE_DIR: folder,
      BUN_INSTALL_CACHE_DIR: join(folder, 'no-cache'),
      HTTPS_PROXY: 'http://127.0.0.1:1',
    }
    const { exitCode, stdout, stderr } = await $`${process.execPath} deploy/release/main.ts ${away} ${here}`
      .cwd(ROOT)
      .env(env)
      .nothrow()
      .quiet()
    const told = `${stdout}${stderr}`
    expect(told).toContain(`${away}: not built`)
    expect(told).toContain(`${here}: built, started, and it serves`)
    expect(told).toContain(`release: failed: ${away}\n`)
    expect(exitCode).toBe(1)
    const written = (await readdir(folder)).filter((name) => name !== 'no-cache').sort()
    const executable = `redlight-${manifest.version}-${here}`
    expect(written).toEqual(['SHA256SUMS', executable, `redlight-${manifest.version}.cdx.json`].sort())
    const sums = await $`sha256sum --check SHA256SUMS`.cwd(folder).text()
    expect(sums).toContain(`${executable}: OK`)
  },
  BUILDS_MS,
)

test('an unknown target is refused with a list of the known ones', async () => {
  const { exitCode, stderr } = await $`${process.execPath} deploy/release/main.ts linux-x86`
    .cwd(ROOT)
    .nothrow()
    .quiet()
  expect(exitCode).toBe(2)
  expect(`${stderr}`).toContain('there are linux-x64, ')
})

test('the workflows run the same commands, with pinned actions and Bun', async () => {
  const texts = new Map<string, string>()
  for await (const path of new Glob('.github/workflows/*.yml').scan({ cwd: ROOT, dot: true }))
    texts.set(basename(path), await Bun.file(join(ROOT, path)).text())
  for (const text of texts.values()) {
    expect(Bun.YAML.parse(text)).toMatchObject({ jobs: {} })
    const actions = [...text.matchAll(/uses: (\S+)/g)].map(([, action]) => action)
    expect(actions).not.toEqual([])
    for (const action of actions) expect(action).toMatch(/@v\d+\.\d+\.\d+$/)
    for (const [, version] of text.matchAll(/bun@(\S+)/g)) expect(version).toBe(manifest.devDependencies.bun)
  }
  expect(texts.get('ci.yml')).toContain('run: bash .ci/run\n')
  expect(texts.get('release.yml')).toContain('run release\n')
})
