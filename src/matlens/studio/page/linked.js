// What several charts of the same samples share: which sample and which channel is pointed at, and which is chosen.
export function linked() {
  const listeners = [];
  const state = { sample: null, pointed: null, channel: null };
  const tell = (what) => { for (const listener of listeners) listener(what); };
  return {
    on: (listener) => listeners.push(listener),
    // The sample that charts show: the one under the pointer, else the chosen one; null is the mean of all.
    get sample() { return state.pointed ?? state.sample; },
    get chosen() { return state.sample; },
    get channel() { return state.channel; },
    point(sample) {
      if (state.pointed === sample) return;
      state.pointed = sample;
      tell("sample");
    },
    choose(sample) {
      state.sample = sample;
      state.pointed = null;
      tell("sample");
    },
    chooseChannel(channel) {
      state.channel = channel;
      tell("channel");
    },
  };
}
