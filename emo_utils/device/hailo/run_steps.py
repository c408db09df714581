"""What is measured on the chip, by the Python API of HailoRT 4.23 (its sources are public: hailo-ai/hailort, MIT)."""

from __future__ import annotations

import contextlib
import importlib.metadata
import math
import platform
import sys
import time

import numpy as np
from hailo_bundle import BundleError, first_line

TIMEOUT_MS = 10_000


@contextlib.contextmanager
def configured(hailo, device, hef, batch):
    """Yield (model, configured model, bindings of `batch` faces): grey levels in, float32 logits out."""
    model = device.create_infer_model(str(hef))
    model.set_batch_size(batch)
    model.input().set_format_type(hailo.FormatType.UINT8)
    model.output().set_format_type(hailo.FormatType.FLOAT32)
    with model.configure() as runnable:
        bindings = [runnable.create_bindings() for _ in range(batch)]
        for binding in bindings:
            binding.output().set_buffer(np.empty(model.output().shape, dtype=np.float32))
        yield model, runnable, bindings


def time_single(hailo, device, hef, images, n, warmup):
    """Run faces one at a time.

    Args:
        images: uint8 (n_images, height, width, channels); taken in turns.
        n: timed runs, at least one for each face.
        warmup: untimed runs before.

    Returns:
        Logits float32 (n_images, n_classes), times of the timed runs in ms, and init_ms, first_ms, warmup_ms. The time
        of a run is that of handing over the face, the chip's work and the way back: what a program waits for.

    Raises:
        BundleError: the .hef takes or gives something else than the bundle.
    """
    start = time.perf_counter()
    with configured(hailo, device, hef, 1) as (model, runnable, (binding,)):
        init_ms = _since(start)
        if tuple(model.input().shape) != images.shape[1:]:
            raise BundleError(
                f"{hef.name} takes {tuple(model.input().shape)}, the samples are {images.shape[1:]}: "
                "it is not of this bundle."
            )
        logits = np.empty((len(images), int(np.prod(model.output().shape))), dtype=np.float32)

        def run(i):
            began = time.perf_counter()
            binding.input().set_buffer(images[i % len(images)])
            runnable.run([binding], TIMEOUT_MS)
            logits[i % len(images)] = np.ravel(binding.output().get_buffer())
            return _since(began)

        first_ms = run(0)
        warm = [run(i) for i in range(warmup)]
        times = np.array([run(i) for i in range(n)])
    return logits, times, {"init_ms": init_ms, "first_ms": first_ms, "warmup_ms": float(np.mean(warm))}


def throughput(hailo, device, hef, images, batch, seconds=1.0):
    """Return faces a second with `batch` of them handed over at a time, in parts where the queue of HailoRT is shorter.

    None where it cannot be measured, which is said: the times of single faces are worth keeping all the same.
    """
    try:
        with configured(hailo, device, hef, batch) as (_, runnable, bindings):
            for i, binding in enumerate(bindings):
                binding.input().set_buffer(images[i % len(images)])
            room = runnable.get_async_queue_size() if hasattr(runnable, "get_async_queue_size") else batch
            parts = [bindings[i : i + room] for i in range(0, batch, room)]

            def run():
                for part in parts:
                    runnable.run(part, TIMEOUT_MS)

            run()
            rounds, start = 0, time.perf_counter()
            while rounds == 0 or time.perf_counter() - start < seconds:
                run()
                rounds += 1
            return rounds * batch / (time.perf_counter() - start)
    except Exception as error:  # HailoRT raises its own class, by version in another module
        print(f"no throughput with {batch} faces at a time: {first_line(error)}", file=sys.stderr)
        return None


def measure_power(hailo, device, hef, images, seconds):
    """Measure what the chip draws when idle and when it runs face after face.

    Returns:
        power_mw, idle_mw, power_rail, energy_gross_mj and energy_net_mj (by inference); {} where the board has no
        sensor, which is said.
    """

    def average_mw(work):
        control.set_power_measurement()
        control.start_power_measurement()
        try:
            done, start = 0, time.perf_counter()
            while time.perf_counter() - start < seconds:
                work()
                done += 1
            return 1000 * control.get_power_measurement().average_value, done / (time.perf_counter() - start)
        finally:
            control.stop_power_measurement()

    try:
        chip = device.get_physical_devices()[0]  # releases the device when it is gone, so it is kept while in use
        control = chip.control
        with configured(hailo, device, hef, 1) as (_, runnable, (binding,)):
            binding.input().set_buffer(images[0])
            idle_mw, _ = average_mw(lambda: time.sleep(0.01))
            power_mw, per_second = average_mw(lambda: runnable.run([binding], TIMEOUT_MS))
    except Exception as error:  # as above
        print(f"no power figures: this board does not measure it ({first_line(error)})", file=sys.stderr)
        return {}
    if not (math.isfinite(power_mw) and math.isfinite(idle_mw) and power_mw > 0):
        print(f"no power figures: the sensor says {power_mw} mW under load", file=sys.stderr)
        return {}
    return {
        "power_mw": power_mw,
        "idle_mw": idle_mw,
        "power_rail": "Hailo chip (DvmTypes.AUTO)",
        "energy_gross_mj": power_mw / per_second,
        "energy_net_mj": (power_mw - idle_mw) / per_second,
    }


def describe_device(hailo, device, compiler):
    """Return who ran it: names of the chip and of the software; compiler: version of the one that made the .hef."""
    try:
        chip = device.get_physical_devices()[0]  # as in measure_power
        board = chip.control.identify()
        product = next(filter(None, map(_printable, (board.product_name, board.board_name))), "Hailo")
        # A Hailo-8L may carry the product name of its big sister; its architecture tells the two apart.
        name = f"{board.device_architecture}: {product}"
    except Exception as error:  # as above; the name is worth having, not worth failing for
        print(f"the device does not say what it is ({first_line(error)})", file=sys.stderr)
        name = "Hailo"
    try:
        version = importlib.metadata.version("hailort")
    except importlib.metadata.PackageNotFoundError:
        version = getattr(hailo, "__version__", "of unknown version")
    return {
        "name": name,
        "system": platform.platform(),
        "python": platform.python_version(),
        "power_mode": None,
        "software": f"HailoRT {version}" + (f", Dataflow Compiler {compiler}" if compiler else ""),
    }


def _printable(text):
    return "".join(c for c in str(text) if c.isprintable()).strip()


def _since(start):
    """Return the milliseconds since a value of perf_counter."""
    return 1000 * (time.perf_counter() - start)
