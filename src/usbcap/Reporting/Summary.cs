using System.Globalization;
using System.Text;
using System.Text.Json;
using Native.LibUsb;
using Usbcap.Capture;
using Usbcap.Output;

namespace Usbcap.Reporting;

/// <summary>Represents the result of a capture. It can be written as text or as JSON.</summary>
internal sealed record Summary
{
    public required UsbDevice Device { get; init; }

    public required CaptureSession Session { get; init; }

    public required CaptureSink Sink { get; init; }

    /// <summary>Gets the reason why the capture ended: <c>limit</c>, <c>duration</c>, <c>interrupted</c> or <c>failed</c>.</summary>
    public required string Outcome { get; init; }

    /// <summary>Gets the failure that ended the capture. Null if there is none.</summary>
    public required FailureException? Failure { get; init; }

    private CapturePlan Plan => Session.Plan;

    private CaptureCounters Counters => Session.Counters;

    private AllocationCounter Allocations => Session.Allocations;

    private bool IsIsochronous => Plan.IsIsochronous;

    private long Lost => Counters.Lost(IsIsochronous);

    // The duration of the stream in seconds, measured with the device's clock: the device sends one packet in each service interval, so the number of intervals
    // gives the duration. Null for bulk and interrupt endpoints.
    private double? DeviceSeconds => IsIsochronous
        ? (Counters.Intervals + Counters.Dropped + Counters.Missed) * Plan.Endpoint.ServiceInterval.TotalSeconds
        : null;

    // For isochronous endpoints, the rate is computed from the number of service intervals that have passed on the bus. This number includes missed intervals,
    // and does not depend on delays of the host.
    private double MegabytesPerSecond =>
        DeviceSeconds is > 0 and { } seconds ? Counters.Bytes / 1e6 / seconds : Counters.HostBytesPerSecond / 1e6;

    public void WriteText(TextWriter writer)
    {
        var text = new StringBuilder();
        CultureInfo c = CultureInfo.InvariantCulture;
        text.Append(c, $"device      {Device.VendorId:x4}:{Device.ProductId:x4} at {Device.PortPath} ({Device.Speed})\n");
        text.Append(c, $"endpoint    {Plan.Endpoint}, interface {Plan.Endpoint.Interface}, alternate setting {Plan.Endpoint.AlternateSetting}\n");
        text.Append(c, $"transfers   {Counters.Transfers} ended, {Plan.Ring.Transfers} in flight, {Units()}\n");
        text.Append(c, $"packets     {Counters.Packets}, {Counters.EmptyPackets} of them empty\n");
        text.Append(c, $"bytes       {Counters.Bytes}\n");
        text.Append(c, $"time        {Session.Elapsed.TotalSeconds:F3} s");
        if (DeviceSeconds is { } deviceSeconds)
            text.Append(c, $", {deviceSeconds:F3} s by the device's clock");
        text.Append(c, $"\nrate        {MegabytesPerSecond:F3} MB/s\n");
        text.Append(c, $"lost        {Lost}");
        if (Lost > 0)
            text.Append(c, $" ({Counters.Dropped} because the output was too slow, {Counters.Missed} because no transfer was in flight{(IsIsochronous ? $", {Counters.Errors} with errors" : "")})");
        text.Append(c, $"\nerrors      {Counters.Errors}{ErrorsByStatus()}\n");
        text.Append(c, $"memory      {ProcessMemory.PeakResidentBytes} bytes resident at most, {Allocations.AllocatedBytes} managed bytes allocated while streaming, {Allocations.Collections} collections\n");
        text.Append(c, $"output      {Sink.Path ?? Sink.Name}, {Sink.Length} bytes\n");
        writer.Write(text);
        writer.Flush();
    }

    public void WriteJson(Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteStartObject("device");
        json.WriteString("vendor", Hex(Device.VendorId));
        json.WriteString("product", Hex(Device.ProductId));
        json.WriteString("port", Device.PortPath.ToString());
        json.WriteNumber("address", Device.Address);
        json.WriteString("speed", Device.Speed.ToString());
        json.WriteEndObject();
        json.WriteString("endpoint", string.Create(CultureInfo.InvariantCulture, $"0x{Plan.Endpoint.Address:x2}"));
        json.WriteString("type", Plan.Endpoint.Kind.Name());
        json.WriteNumber("interface", Plan.Endpoint.Interface);
        json.WriteNumber("alternateSetting", Plan.Endpoint.AlternateSetting);
        json.WriteNumber("transfersInFlight", Plan.Ring.Transfers);
        if (IsIsochronous)
        {
            json.WriteNumber("packetsPerTransfer", Plan.Ring.PacketsPerTransfer);
            json.WriteNumber("packetSize", Plan.UnitSize);
        }
        else
        {
            json.WriteNumber("transferSize", Plan.UnitSize);
        }

        json.WriteNumber("transfers", Counters.Transfers);
        json.WriteNumber("packets", Counters.Packets);
        json.WriteNumber("emptyPackets", Counters.EmptyPackets);
        json.WriteNumber("bytes", Counters.Bytes);
        json.WriteNumber("seconds", Math.Round(Session.Elapsed.TotalSeconds, 6));
        if (DeviceSeconds is { } deviceSeconds)
            json.WriteNumber("deviceSeconds", Math.Round(deviceSeconds, 6));
        json.WriteNumber("megabytesPerSecond", Math.Round(MegabytesPerSecond, 6));
        json.WriteNumber("hostMegabytesPerSecond", Math.Round(Counters.HostBytesPerSecond / 1e6, 6));
        json.WriteNumber("lost", Lost);
        json.WriteNumber("dropped", Counters.Dropped);
        json.WriteNumber("missed", Counters.Missed);
        json.WriteStartObject("errors");
        json.WriteNumber("total", Counters.Errors);
        foreach ((UsbTransferStatus status, long count) in Failures())
            json.WriteNumber(JsonNamingPolicy.CamelCase.ConvertName(status.ToString()), count);
        json.WriteEndObject();
        json.WriteNumber("allocatedBytes", Allocations.AllocatedBytes);
        json.WriteNumber("collections", Allocations.Collections);
        json.WriteNumber("peakResidentBytes", ProcessMemory.PeakResidentBytes);
        json.WriteString("outcome", Outcome);
        if (Failure is not null)
            json.WriteString("error", Failure.Message);
        json.WriteString("file", Sink.Path ?? Sink.Name);
        json.WriteNumber("fileBytes", Sink.Length);
        json.WriteEndObject();
        json.Flush();
        stream.Write("\n"u8);
    }

    private static string Hex(ushort id) => id.ToString("x4", CultureInfo.InvariantCulture);

    private string Units() => IsIsochronous ? $"{Plan.Ring.PacketsPerTransfer} packets of {Plan.UnitSize} bytes each" : $"{Plan.UnitSize} bytes each";

    private string ErrorsByStatus()
    {
        IEnumerable<string> each = Failures().Select(failure => $"{failure.Count} {failure.Status}");
        return Counters.Errors == 0 ? "" : $" ({string.Join(", ", each)})";
    }

    private IEnumerable<(UsbTransferStatus Status, long Count)> Failures()
    {
        for (int status = 1; status < CaptureCounters.StatusCount; status++)
        {
            long count = Counters.Failed((UsbTransferStatus)status);
            if (count > 0)
                yield return ((UsbTransferStatus)status, count);
        }
    }
}
