// The same lines in every widget: fetch once a page what all of them share, and hand over to it.
const unpacked = async (text) => {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
};

async function load(model) {
  const shared = await model.widget_manager.get_model(model.get("library").slice("IPY_MODEL_".length));
  const address = URL.createObjectURL(new Blob([await unpacked(shared.get("modules"))], { type: "text/javascript" }));
  const front = await import(address);
  URL.revokeObjectURL(address);
  front.plotlyFrom(async () => {
    const module = { exports: {} };
    new Function("module", "exports", "define", await unpacked(shared.get("plotly")))(module, module.exports, undefined);
    return module.exports;
  });
  return front;
}

export default {
  async render({ model, el }) {
    const name = `courseFront ${model.get("digest")}`;
    try {
      globalThis[name] ??= load(model);
      return (await globalThis[name]).render({ model, el });
    } catch (error) {
      delete globalThis[name];
      el.textContent = `This cannot be shown here (${error}). Run the cell again; if that does not help, restart the kernel.`;
      throw error;
    }
  },
};
