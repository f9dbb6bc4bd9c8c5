// A model that is a plain object: what a widget's model offers, without a kernel.

// `hear(message, model)` answers what is sent.
export function plainModel(values, hear = () => {}) {
  const heard = new Map(), model = {
    get: (name) => values[name],
    set(name, value) {
      values[name] = value;
      (heard.get(`change:${name}`) ?? []).forEach((listener) => listener());
    },
    on: (event, listener) => heard.set(event, [...(heard.get(event) ?? []), listener]),
    off: (event, listener) => heard.set(event, (heard.get(event) ?? []).filter((other) => other !== listener)),
    save_changes() {},
    send: (message) => hear(message, model),
  };
  return model;
}
