const JSON_TYPE = 'application/json; charset=utf-8'

/** The only writer of JSON answers. */
export const jsonResponse = (
  body: unknown,
  status: number,
  headers?: Readonly<Record<string, string | number | undefined>>,
) => {
  const response = new Response(JSON.stringify(body), { status, headers: { 'Content-Type': JSON_TYPE } })
  for (const name in headers)
    if (headers[name] !== undefined) response.headers.set(name, String(headers[name]))
  return response
}
