# docker build -t matlens .                             for the processor
# docker build -t matlens --build-arg TORCH=cu126 .     for NVIDIA GPUs, with `docker run --gpus all`
# docker run --rm -v "$PWD:/work" matlens reconstruct micrograph.tif
FROM python:3.11-slim

# A build of PyTorch, by its name in PyTorch's own index.
ARG TORCH=cpu

WORKDIR /source
COPY . .
# Of 2.13.0 and 2.13.0+cpu, pip takes the latter, so that the index is searched beside the usual one.
RUN pip install --no-cache-dir -c constraints.txt --extra-index-url "https://download.pytorch.org/whl/${TORCH}" \
    ".[baselines,spectra,cluster,volumes,studio]"

RUN useradd --create-home matlens
USER matlens
WORKDIR /work
ENTRYPOINT ["matlens"]
CMD ["--help"]
