import swaggerStyle from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' }
import swaggerScript from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' }
import accountStyle from './assets/account.css' with { type: 'file' }
import accountScript from './assets/account.js' with { type: 'file' }
import docsStyle from './assets/docs.css' with { type: 'file' }
import docsScript from './assets/docs.js' with { type: 'file' }
import icon from './assets/icon.svg' with { type: 'file' }

const JAVASCRIPT = 'text/javascript; charset=utf-8'
const CSS = 'text/css; charset=utf-8'
const assets = new Map(
  Object.entries({
    'swagger-ui.js': { path: swaggerScript, type: JAVASCRIPT },
    'swagger-ui.css': { path: swaggerStyle, type: CSS },
    'docs.js': { path: docsScript, type: JAVASCRIPT },
    'docs.css': { path: docsStyle, type: CSS },
    'account.js': { path: accountScript, type: JAVASCRIPT },
    'account.css': { path: accountStyle, type: CSS },
    'icon.svg': { path: icon, type: 'image/svg+xml' },
  }),
)

let version: Promise<string> | undefined
/** Changes with any byte of an asset, so that browsers may cache assets forever. */
const assetVersion = () => (version ??= hashAssets())

async function hashAssets(): Promise<string> {
  const hasher = new Bun.CryptoHasher('sha256')
  for (const { path } of assets.values()) hasher.update(await Bun.file(path).bytes())
  return hasher.digest('hex').slice(0, 16)
}

export async function assetResponse(askedVersion: string, name: string): Promise<Response | undefined> {
  const asset = assets.get(name)
  if (asset === undefined) return undefined
  // During an upgrade, page and assets may come from instances of different versions.
  const isCurrent = askedVersion === (await assetVersion())
  return new Response(Bun.file(asset.path), {
    headers: {
      'Content-Type': asset.type,
      'Cache-Control': isCurrent ? 'public, max-age=31536000, immutable' : 'no-cache',
    },
  })
}

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export type Page = {
  readonly title: string
  readonly styles: readonly string[]
  readonly scripts: readonly string[]
  readonly body: string
}

export async function pageResponse(page: Page): Promise<Response> {
  return new Response(html(page, `docs/assets/${await assetVersion()}`), {
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-cache',
    },
  })
}

// URLs are relative, so that a page works behind a proxy that adds a path prefix.
const html = ({ title, styles, scripts, body }: Page, base: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="${base}/icon.svg">
${styles.map((name) => `<link rel="stylesheet" href="${base}/${name}">`).join('\n')}
${scripts.map((name) => `<script src="${base}/${name}" defer></script>`).join('\n')}
</head>
<body>
${body}
</body>
</html>
`
