// What pack.ts writes, imported `with { type: 'file' }`: a path that Bun.file can read, in the executable too.
declare const path: string
export default path
