import { assets, takesGzip } from './assets'

export type ConsoleSettings = {
  readonly siteName: string
  /** False: only the pages behind mails are served. */
  readonly hasCatalogue: boolean
  readonly hasPosters: boolean
  /** Movies may be read without signing in. */
  readonly isOpen: boolean
  /** Where accounts are used, if not here. */
  readonly home: string | undefined
}

const policyOf = ({ hasPosters }: ConsoleSettings) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src 'self'${hasPosters ? ' https:' : ''}`,
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')

/** The page of every address of the console: what it shows is up to the script. */
export function consolePage(settings: ConsoleSettings) {
  const policy = policyOf(settings)
  return async (request: Request, path: string, status = 200): Promise<Response> => {
    const text = await html(settings, path)
    const isZipped = takesGzip(request)
    return new Response(isZipped ? Bun.gzipSync(text) : text, {
      status,
      headers: {
        'Content-Type': 'text/html; charset=utf-8',
        'Content-Security-Policy': policy,
        'Cross-Origin-Opener-Policy': 'same-origin',
        'Referrer-Policy': 'no-referrer',
        'Cache-Control': 'no-cache',
        Vary: 'Accept, Accept-Encoding',
        ...(isZipped && { 'Content-Encoding': 'gzip' }),
      },
    })
  }
}

async function html(settings: ConsoleSettings, path: string): Promise<string> {
  const { version, preload } = await assets()
  // Relative, so that the page works behind a proxy that adds a path prefix.
  const root = '../'.repeat(path.split('/').length - 2)
  const at = (name: string) => `${root}docs/assets/${version}/${name}`
  const name = escaped(settings.siteName)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" media="(prefers-color-scheme: light)" content="#fbfaf8">
<meta name="theme-color" media="(prefers-color-scheme: dark)" content="#131012">
<meta name="description" content="${name}: movies to browse, search and keep.">
<title>${name}</title>
<link rel="icon" href="${at('icon.svg')}">
<link rel="preload" as="font" type="font/woff2" crossorigin href="${at('oswald-latin.woff2')}">
<script src="${at('reload.js')}"></script>
<link rel="stylesheet" href="${at('console.css')}">
${preload.map((part) => `<link rel="modulepreload" href="${at(part)}">`).join('\n')}
<script type="module" src="${at('main.js')}"></script>
</head>
<body>
<div id="console" ${dataOf(settings)}>
<header class="bar"><span class="brand">${MARK}${name}</span></header>
</div>
<noscript>
<main class="door">
<p>This page needs JavaScript. Without it, the API does the same: to activate an account, send the token from the mail to <code>PUT /v1/users/activated</code>, as the command in the mail does; to choose a new password, send it to <code>PUT /v1/users/password</code>.</p>
</main>
</noscript>
</body>
</html>
`
}

const MARK =
  '<svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true"><circle cx="16" cy="16" r="14"/><path d="M13 10l10 6-10 6z"/></svg>'

function dataOf({ siteName, hasCatalogue, hasPosters, isOpen, home }: ConsoleSettings): string {
  const data = {
    name: siteName,
    catalogue: hasCatalogue,
    posters: hasPosters,
    open: isOpen,
    home: home ?? '',
  }
  return Object.entries(data)
    .map(([name, value]) => `data-${name}="${escaped(String(value))}"`)
    .join(' ')
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
