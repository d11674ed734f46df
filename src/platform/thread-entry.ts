// What a thread is started with: its compiled module, or from the sources the loader, which then imports it.

export interface ThreadEntry {
  file: URL
  argv: string[]
}

/** @param name of the module beside the one whose `import.meta.url` is `from`, without an ending */
export const threadEntry = (name: string, from: string): ThreadEntry => {
  const isSource = from.endsWith('.ts')
  const file = new URL(`./${name}.${isSource ? 'ts' : 'js'}`, from)
  return isSource
    ? { file: new URL('./boot-thread.mjs', import.meta.url), argv: [file.href] }
    : { file, argv: [] }
}
