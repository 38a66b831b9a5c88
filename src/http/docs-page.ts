import swaggerStyle from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' }
import swaggerScript from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' }
import icon from './docs/icon.svg' with { type: 'file' }
import pageStyle from './docs/page.css' with { type: 'file' }
import pageScript from './docs/page.js' with { type: 'file' }

const JAVASCRIPT = 'text/javascript; charset=utf-8'
const CSS = 'text/css; charset=utf-8'
const assets: Readonly<Record<string, { readonly path: string; readonly type: string }>> = {
  'swagger-ui.js': { path: swaggerScript, type: JAVASCRIPT },
  'swagger-ui.css': { path: swaggerStyle, type: CSS },
  'page.js': { path: pageScript, type: JAVASCRIPT },
  'page.css': { path: pageStyle, type: CSS },
  'icon.svg': { path: icon, type: 'image/svg+xml' },
}

let version: Promise<string> | undefined
/** Changes when a byte of any asset does, so that browsers may keep an asset for ever. */
const assetVersion = () => (version ??= hashAssets())

async function hashAssets(): Promise<string> {
  const hasher = new Bun.CryptoHasher('sha256')
  for (const { path } of Object.values(assets)) hasher.update(await Bun.file(path).bytes())
  return hasher.digest('hex').slice(0, 16)
}

export async function assetResponse(askedVersion: string, name: string): Promise<Response | undefined> {
  const asset = assets[name]
  if (asset === undefined) return undefined
  // During an upgrade, the page may come from an instance of one version and its assets from another.
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

export async function pageResponse(): Promise<Response> {
  return new Response(html(`docs/assets/${await assetVersion()}`), {
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-cache',
    },
  })
}

// Addresses are relative, so that the page works behind a proxy that serves it under a path of its own.
const html = (base: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Redlight API</title>
<link rel="icon" href="${base}/icon.svg">
<link rel="stylesheet" href="${base}/swagger-ui.css">
<link rel="stylesheet" href="${base}/page.css">
<script src="${base}/swagger-ui.js" defer></script>
<script src="${base}/page.js" defer></script>
</head>
<body>
<header>
<a class="name" href="docs">Redlight</a>
<form id="sign-in">
<input name="login" autocomplete="username" placeholder="Email or username" aria-label="Email or username" required>
<input name="password" type="password" autocomplete="current-password" placeholder="Password" aria-label="Password" required>
<button>Sign in</button>
</form>
<form id="sign-out" hidden>
<span id="who"></span>
<button>Sign out</button>
</form>
<a href="docs/json">OpenAPI</a>
<p id="sign-in-problem" role="alert"></p>
</header>
<noscript>This page needs JavaScript; the OpenAPI document is at <a href="docs/json">docs/json</a>.</noscript>
<main id="operations"></main>
</body>
</html>
`
