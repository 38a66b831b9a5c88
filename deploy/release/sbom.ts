import { join } from 'node:path'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { parse } from 'jsonc-parser'

// What an executable is made of, as a CycloneDX document: every package of bun.lock that the dependencies lead to, and Bun.

const names = Type.Optional(Type.Record(Type.String(), Type.String()))
const Needs = Type.Object({
  dependencies: names,
  peerDependencies: names,
  optionalPeers: Type.Optional(Type.Array(Type.String())),
})
/** `name@version`, the registry (empty: the default), what it needs, and its checksum. */
const Package = Type.Tuple([Type.String(), Type.Literal(''), Needs, Type.String({ pattern: '^sha512-' })])
const Lock = Type.Object({ packages: Type.Record(Type.String(), Type.Unknown()) })
const Manifest = Type.Object({
  name: Type.String(),
  version: Type.String(),
  license: Type.Optional(Type.String()),
  dependencies: names,
})

/** A key of bun.lock is the way to a folder of node_modules: `a/b` is node_modules/a/node_modules/b. */
const wayOf = (key: string) => key.match(/@[^/]+\/[^/]+|[^/]+/g) ?? []

type Resolved = { key: string; entry: Static<typeof Package> }

/** Finds a package as Bun does: nearest to the package that needs it. */
function resolve(packages: Record<string, unknown>, from: string, name: string): Resolved {
  const way = wayOf(from)
  for (let depth = way.length; depth >= 0; depth--) {
    const key = [...way.slice(0, depth), name].join('/')
    if (key in packages) return { key, entry: Value.Parse(Package, packages[key]) }
  }
  throw new Error(`bun.lock has no ${name}, which ${from || 'the project'} needs: run "bun install"`)
}

const versionOf = ([resolved]: Resolved['entry']) => resolved.slice(resolved.lastIndexOf('@') + 1)
const purlOf = (name: string, version: string) => `pkg:npm/${name.replace('@', '%40')}@${version}`
const refOf = ({ key, entry }: Resolved) => purlOf(wayOf(key).at(-1) ?? key, versionOf(entry))

function needsOf(packages: Record<string, unknown>, { key, entry }: Resolved): Resolved[] {
  const { dependencies, peerDependencies, optionalPeers = [] } = entry[2]
  const peers = Object.keys(peerDependencies ?? {}).filter((name) => !optionalPeers.includes(name))
  return [...Object.keys(dependencies ?? {}), ...peers].map((name) => resolve(packages, key, name))
}

async function readManifest(path: string) {
  return Value.Parse(Manifest, await Bun.file(path).json())
}

async function component(root: string, { key, entry }: Resolved) {
  const folder = wayOf(key).flatMap((name) => ['node_modules', name])
  const { name, license } = await readManifest(join(root, ...folder, 'package.json'))
  const checksum = Buffer.from(entry[3].slice('sha512-'.length), 'base64').toString('hex')
  return {
    type: 'library',
    'bom-ref': refOf({ key, entry }),
    name,
    version: versionOf(entry),
    hashes: [{ alg: 'SHA-512', content: checksum }],
    ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
    purl: refOf({ key, entry }),
  }
}

/** The document for the sources in `root`, whose packages are installed. */
export async function createSbom(root: string, timestamp: Date) {
  const { packages } = Value.Parse(Lock, parse(await Bun.file(join(root, 'bun.lock')).text()))
  const manifest = await readManifest(join(root, 'package.json'))
  const direct = Object.keys(manifest.dependencies ?? {}).map((name) => resolve(packages, '', name))
  const found = new Map(direct.map((each) => [refOf(each), each]))
  // A map may grow while it is walked.
  for (const each of found.values())
    for (const need of needsOf(packages, each)) found.set(refOf(need), found.get(refOf(need)) ?? need)

  const self = purlOf(manifest.name, manifest.version)
  const runtime = purlOf('bun', Bun.version)
  const refs = (all: Resolved[]) => [...new Set(all.map(refOf))].sort()
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: timestamp.toISOString(),
      component: {
        type: 'application',
        'bom-ref': self,
        name: manifest.name,
        version: manifest.version,
        licenses: [{ expression: manifest.license }],
      },
    },
    components: [
      {
        type: 'platform',
        'bom-ref': runtime,
        name: 'bun',
        version: Bun.version,
        licenses: [{ expression: 'MIT' }],
        purl: runtime,
      },
      ...(await Promise.all(
        [...found].sort(([a], [b]) => a.localeCompare(b)).map(([, each]) => component(root, each)),
      )),
    ],
    dependencies: [
      { ref: self, dependsOn: [runtime, ...refs(direct)] },
      ...[...found.values()].map((each) => ({ ref: refOf(each), dependsOn: refs(needsOf(packages, each)) })),
    ],
  }
}
