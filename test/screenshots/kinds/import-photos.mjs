// A made-up kind for the screenshots: pictures, of which some are cut off. Two run at a time, so others wait for it.
export default ({ defineKind, z }) =>
  defineKind({
    summary: 'Takes photos from a card into the archive',
    params: z.strictObject({
      file: z.string().max(200),
      bytes: z.int(),
      seconds: z.number().max(600).default(0),
    }),
    result: z.strictObject({ files: z.int() }),
    example: { file: 'IMG_2041.jpg', bytes: 3_551_870 },
    maxConcurrency: 2,
    async run({ file, bytes, seconds }, ctx) {
      ctx.log(`reading ${file}, ${bytes} bytes`)
      if (bytes < 1_500_000)
        throw new Error(`The file is cut off after ${bytes} of ${bytes + 2_347_646} bytes`)
      const steps = 20
      for (let step = 0; step < steps * Math.sign(seconds); step += 1) {
        ctx.progress((100 * step) / steps, `${file}: tile ${step} of ${steps}`)
        await new Promise(resolve => setTimeout(resolve, (1000 * seconds) / steps))
        ctx.signal.throwIfAborted()
      }
      return { files: 2 }
    },
  })
