export type Claims = Record<string, unknown>

export const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
export function claimsOf(token: string): Claims {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}
export const nowSeconds = () => Math.floor(Date.now() / 1000)
