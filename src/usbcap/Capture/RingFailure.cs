using Native.LibUsb;
using Native.LibUsb.Streaming;

namespace Usbcap.Capture;

/// <summary>Converts errors of a ring to failures that name the options of the command line.</summary>
internal static class RingFailure
{
    /// <summary>Returns the failure for a ring that could not be created.</summary>
    public static FailureException OfOptions(ArgumentException exception)
    {
        (string option, ExitCode code) = exception.ParamName switch
        {
            nameof(UsbRingOptions.Transfers) => ("--in-flight", ExitCode.Memory), // any number up to the kernel's memory limit is valid
            nameof(UsbRingOptions.TransferSize) => ("--transfer-size", ExitCode.Usage),
            nameof(UsbRingOptions.PacketsPerTransfer) => ("--packets-per-transfer", ExitCode.Usage),
            nameof(UsbRingOptions.PacketSize) => ("--packet-size", ExitCode.Usage),
            _ => ("endpoint", ExitCode.Usage),
        };
        int end = exception.Message.IndexOf(" (Parameter ", StringComparison.Ordinal); // the start of the text that .NET appends
        string message = end < 0 ? exception.Message : exception.Message[..end];
        return new FailureException(code, $"{option}: {message}", exception);
    }

    /// <summary>Returns the failure for a ring that has stopped because of an error.</summary>
    public static FailureException Of(UsbException failure, in UsbRingStatistics statistics, CapturePlan plan, CaptureCounters counters)
    {
        if (failure.Error == UsbError.NoDevice)
            return new FailureException(ExitCode.DeviceGone, "the device is gone");
        if (statistics.SubmitFailures > 0)
            return OfSubmission(statistics, plan);
        return failure.Error == UsbError.Pipe
            ? new FailureException(ExitCode.Other, $"endpoint {plan.Endpoint} is halted: the device answered STALL")
            : new FailureException(ExitCode.Other, $"{plan.Ring.ErrorLimit} transfers in a row failed, the last with status {counters.LastFailure}");
    }

    /// <summary>Returns the failure for a transfer that libusb has refused, or of which the kernel has refused a part.</summary>
    public static FailureException OfSubmission(in UsbRingStatistics statistics, CapturePlan plan)
    {
        UsbError error = statistics.SubmitFailures > 0 ? statistics.LastSubmitFailure : UsbError.NoMemory;
        if (error == UsbError.NoDevice)
            return new FailureException(ExitCode.DeviceGone, "the device is gone");
        bool memory = error == UsbError.NoMemory || (error == UsbError.IO && plan.IsIsochronous);
        if (!memory)
            return FailureException.From(new UsbException(error, $"submit a transfer on endpoint {plan.Endpoint}"));
        string limit = UsbRingOptions.SystemMemoryLimit is { } bytes ? $" ({bytes >> 20} MiB)" : "";
        return new FailureException(ExitCode.Memory,
            $"the kernel refused transfer {Math.Min(statistics.InFlight + 1, plan.Ring.Transfers)} of {plan.Ring.Transfers} with {plan.UnitSize * Math.Max(plan.Ring.PacketsPerTransfer, 1)} bytes each: the usual reason is the kernel's limit " +
            $"for the memory of all transfers in flight{limit}; use a smaller --in-flight, or raise the limit in /sys/module/usbcore/parameters/usbfs_memory_mb");
    }
}
