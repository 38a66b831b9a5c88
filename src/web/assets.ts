import swaggerStyle from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' }
import swaggerScript from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' }
import packedConsole from '../console/console.pack.json' with { type: 'file' }
import type { Pack } from '../console/pack'
import docsStyle from './assets/docs.css' with { type: 'file' }
import docsScript from './assets/docs.js' with { type: 'file' }
import icon from './assets/icon.svg' with { type: 'file' }
import reloadScript from './assets/reload.js' with { type: 'file' }

const JAVASCRIPT = 'text/javascript; charset=utf-8'
const CSS = 'text/css; charset=utf-8'
const files = {
  'swagger-ui.js': { path: swaggerScript, type: JAVASCRIPT },
  'swagger-ui.css': { path: swaggerStyle, type: CSS },
  'docs.js': { path: docsScript, type: JAVASCRIPT },
  'docs.css': { path: docsStyle, type: CSS },
  'reload.js': { path: reloadScript, type: JAVASCRIPT },
  'icon.svg': { path: icon, type: 'image/svg+xml' },
}

type Asset = {
  readonly type: string
  readonly body: Uint8Array<ArrayBuffer>
  readonly gzip?: Uint8Array<ArrayBuffer>
}
type Assets = {
  readonly byName: ReadonlyMap<string, Asset>
  /** Changes with any byte of an asset, so that browsers may cache assets forever. */
  readonly version: string
  /** What the console's page asks for at once. */
  readonly preload: readonly string[]
}

let loaded: Promise<Assets> | undefined
export const assets = () => (loaded ??= load())

async function load(): Promise<Assets> {
  const byName = new Map<string, Asset>()
  for (const [name, { path, type }] of Object.entries(files))
    byName.set(name, { type, body: await Bun.file(path).bytes() })
  const pack: Pack = JSON.parse(await Bun.file(packedConsole).text())
  for (const [name, { type, body, gzip }] of Object.entries(pack.files))
    byName.set(name, {
      type,
      body: Uint8Array.fromBase64(body),
      ...(gzip !== undefined && { gzip: Uint8Array.fromBase64(gzip) }),
    })
  const hasher = new Bun.CryptoHasher('sha256')
  for (const { body } of byName.values()) hasher.update(body)
  return { byName, version: hasher.digest('hex').slice(0, 16), preload: pack.preload }
}

export async function assetResponse(
  request: Request,
  askedVersion: string,
  name: string,
): Promise<Response | undefined> {
  const { byName, version } = await assets()
  const asset = byName.get(name)
  if (asset === undefined) return undefined
  const zipped = asset.gzip !== undefined && takesGzip(request) ? asset.gzip : undefined
  // During an upgrade, page and assets may come from instances of different versions.
  const isCurrent = askedVersion === version
  return new Response(zipped ?? asset.body, {
    headers: {
      'Content-Type': asset.type,
      'Cache-Control': isCurrent ? 'public, max-age=31536000, immutable' : 'no-cache',
      ...(asset.gzip !== undefined && { Vary: 'Accept-Encoding' }),
      ...(zipped !== undefined && { 'Content-Encoding': 'gzip' }),
    },
  })
}

/** RFC 9110 section 12.5.3, as far as browsers and proxies use it. */
export const takesGzip = (request: Request) =>
  /(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[^,]*)?(?:,|$)/i.test(
    request.headers.get('accept-encoding') ?? '',
  )
