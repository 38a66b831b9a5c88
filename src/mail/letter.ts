export type Letter = { subject: string; text: string; html: string }
/** The site that the service is part of, as its users know it. */
export type Site = { readonly name: string; readonly url: string }
export type LetterValues = { name: string; publicUrl: string; site: Site }
export type TokenLetterValues = LetterValues & { token: string; expiresAt: Date }

/** A paragraph, a link to follow, or something to copy; the last two stand on lines of their own. */
export type Block = { say: string } | { link: string; as: string } | { copy: string }

const MAX_NAME_CHARACTERS = 60
/** Mail programs don't wrap lines of this length, even quoted a few times (RFC 3676). */
const MAX_COLUMNS = 72

/** One source for text and HTML, so that they can't differ. */
export function composeLetter(subject: string, blocks: readonly Block[]): Letter {
  return { subject, text: `${blocks.map(textBlock).join('\n\n')}\n`, html: page(subject, blocks) }
}

function textBlock(block: Block): string {
  if ('say' in block) return wrapped(block.say)
  // A link or a command breaks when it is wrapped.
  return 'link' in block ? block.link : block.copy
}

function wrapped(paragraph: string): string {
  const lines = ['']
  for (const word of paragraph.split(' ')) {
    const line = lines.at(-1) === '' ? word : `${lines.at(-1)} ${word}`
    if ([...line].length <= MAX_COLUMNS) lines[lines.length - 1] = line
    else lines.push(word)
  }
  return lines.join('\n')
}

// Readable even in a mail program that drops styles: black on white is the default.
const STYLE = `
body{margin:0;padding:24px;background:#ffffff;color:#1a1a1a}
.letter{max-width:560px;margin:0 auto;font:16px/1.5 Arial,Helvetica,sans-serif}
h1{margin:0 0 16px;font-size:22px;line-height:1.3}
p{margin:0 0 16px}
.button{display:inline-block;padding:12px 20px;border-radius:4px;background:#c8102e;color:#ffffff;font-weight:bold;text-decoration:none}
.address{color:#1a1a1a;font-size:14px;word-break:break-all}
pre{margin:0 0 16px;padding:12px;background:#f2f2f2;color:#1a1a1a;font:14px/1.5 Consolas,Menlo,monospace;white-space:pre-wrap;word-break:break-all}
@media (prefers-color-scheme:dark){
body{background:#1c2022;color:#ececf0}
.address{color:#ececf0}
pre{background:#2b3033;color:#ececf0}
}`

const page = (subject: string, blocks: readonly Block[]) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${Bun.escapeHTML(subject)}</title>
<style>${STYLE}
</style>
</head>
<body>
<div class="letter">
<h1>${Bun.escapeHTML(subject)}</h1>
${blocks.map(htmlBlock).join('\n')}
</div>
</body>
</html>
`

function htmlBlock(block: Block): string {
  if ('say' in block) return `<p>${Bun.escapeHTML(block.say)}</p>`
  if ('copy' in block) return `<pre>${Bun.escapeHTML(block.copy)}</pre>`
  const link = Bun.escapeHTML(block.link)
  return `<p><a class="button" href="${link}">${Bun.escapeHTML(block.as)}</a></p>
<p class="address">${link}</p>`
}

/**
 * Anyone can register with any name and address, so a stranger could make us send an advertisement. The name
 * is cut to one short line, and dropped if a mail program would make it a link.
 */
export function greeting(name: string): string {
  const line = name
    .replace(/[\s\p{Cc}]+/gu, ' ')
    // Direction marks would reverse the rest of the line too.
    .replace(/[\u202a-\u202e\u2066-\u2069]/gu, '')
    .trim()
  if (line === '' || /:\/\/|[.。]\p{L}{2}/u.test(line)) return 'Hello,'
  const characters = [...line]
  const isLong = characters.length > MAX_NAME_CHARACTERS
  return `Hello ${isLong ? `${characters.slice(0, MAX_NAME_CHARACTERS).join('')}…` : line},`
}

/** Such as "in 3 days (Mon, 24 Nov 2025 10:44 UTC)". */
export const expiry = (expiresAt: Date, now: Date) =>
  `in ${duration(expiresAt.getTime() - now.getTime())} (${expiresAt.toUTCString().replace(/:\d\d GMT$/, ' UTC')})`

function duration(milliseconds: number): string {
  const minutes = Math.max(1, Math.round(milliseconds / 60_000))
  if (minutes >= 48 * 60) return `${Math.round(minutes / (24 * 60))} days`
  if (minutes >= 120) return `${Math.round(minutes / 60)} hours`
  return minutes === 1 ? '1 minute' : `${minutes} minutes`
}

/** A page of this service. Browsers don't send the part after #, so the token reaches no log and no referrer. */
export const pageLink = (publicUrl: string, page: string, token: string) =>
  `${pageOf(publicUrl, page)}#token=${token}`

export const pageOf = (publicUrl: string, page: string) => `${withoutSlash(publicUrl)}${page}`

/** A curl command for an endpoint of this service, on lines short enough for a mail. */
export const curlPut = (publicUrl: string, path: string, body: Readonly<Record<string, string>>) => {
  const members = Object.entries(body).map(([key, value]) => `"${key}": ${JSON.stringify(value)}`)
  return `curl -X PUT ${withoutSlash(publicUrl)}${path} \\\n  --json '{${members.join(',\n           ')}}'`
}

const withoutSlash = (publicUrl: string) => publicUrl.replace(/\/+$/, '')
