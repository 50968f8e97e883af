/**
 * Loaded before the property tests by `make fuzz`: a property ends without failing when its share of the time is over.
 *
 * @module
 */
import fc from 'fast-check'

fc.configureGlobal({ interruptAfterTimeLimit: Number(process.env.FUZZ_MILLISECONDS), markInterruptAsFailure: false })
