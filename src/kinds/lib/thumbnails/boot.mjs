// Starts the decoder's process from the TypeScript sources. Not used by the build, which starts decoder-main.js
// directly.
import { register } from 'tsx/esm/api'

register()
await import('./decoder-main.ts')
