import { assets } from './assets'

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
  return new Response(html(page, `docs/assets/${(await assets()).version}`), {
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
