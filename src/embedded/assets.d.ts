// Bun turns `import path from '../db/file' with { type: 'file' }` into a path that Bun.file can read, in an executable too.
declare module '*.wasm' {
  const path: string
  export default path
}
declare module '*.data' {
  const path: string
  export default path
}
declare module '*.gz' {
  const path: string
  export default path
}
declare module '*.zst' {
  const path: string
  export default path
}
