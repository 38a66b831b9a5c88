export type Letter = { subject: string; text: string; html: string }
export type LetterValues = { name: string; token: string; expiresAt: Date; publicUrl: string }

/** A paragraph, or something to copy, which stands on a line of its own. */
export type Block = { say: string } | { copy: string }

const MAX_NAME_CHARACTERS = 60

/** One source for both parts, so that they can't differ. */
export function composeLetter(subject: string, blocks: readonly Block[]): Letter {
  return { subject, text: `${blocks.map(textBlock).join('\n\n')}\n`, html: page(subject, blocks) }
}

const textBlock = (block: Block) => ('say' in block ? block.say : block.copy)

function page(subject: string, blocks: readonly Block[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${Bun.escapeHTML(subject)}</title>
</head>
<body style="margin:0;padding:24px;background:#ffffff;color:#1a1a1a;font:16px/1.5 Arial,Helvetica,sans-serif">
<div style="max-width:560px;margin:0 auto">
<h1 style="margin:0 0 16px;font-size:22px;line-height:1.3">${Bun.escapeHTML(subject)}</h1>
${blocks.map(htmlBlock).join('\n')}
</div>
</body>
</html>
`
}

const htmlBlock = (block: Block) =>
  'say' in block
    ? `<p style="margin:0 0 16px">${Bun.escapeHTML(block.say)}</p>`
    : `<pre style="margin:0 0 16px;padding:12px;background:#f2f2f2;font:14px/1.5 Consolas,Menlo,monospace;white-space:pre-wrap;word-break:break-all">${Bun.escapeHTML(block.copy)}</pre>`

/**
 * Whoever registers chooses the name and the address, so a stranger could have us send an advertisement to anyone:
 * the name is made one short line, and one that a mail program would turn into a link is left out.
 */
export function greeting(name: string): string {
  const line = name
    .replace(/[\s\p{Cc}]+/gu, ' ')
    // Marks that turn the direction of the text around would do so to the rest of the line too.
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

/** The command that sends a JSON body to an endpoint of this service. */
export const curlPut = (publicUrl: string, path: string, body: Readonly<Record<string, string>>) =>
  `curl -X PUT ${publicUrl.replace(/\/+$/, '')}${path} --json '${JSON.stringify(body)}'`
