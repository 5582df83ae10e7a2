// Loaded before a launcher, this makes the Node that runs it look like an old one.
Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.9.0' } })
