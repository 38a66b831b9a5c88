// Bun turns `import path from '../http/file' with { type: 'file' }` into a path that Bun.file can read, in an executable too.
declare module '*.css' {
  const path: string
  export default path
}
declare module '*.svg' {
  const path: string
  export default path
}
declare module '*/assets/reload.js' {
  const path: string
  export default path
}
declare module '*/assets/docs.js' {
  const path: string
  export default path
}
declare module 'swagger-ui-dist/swagger-ui-bundle.js' {
  const path: string
  export default path
}
