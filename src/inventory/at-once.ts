/** How much of an inventory is taken at a time. @module */

/** Images: registries throttle whoever asks more at once; more would not be faster either. */
export const AT_ONCE = 12
