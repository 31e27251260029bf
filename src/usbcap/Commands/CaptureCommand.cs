using System.CommandLine;
using Usbcap.Capture;
using Usbcap.Selection;

namespace Usbcap.Commands;

/// <summary>Defines the command <c>usbcap capture</c>.</summary>
internal static class CaptureCommand
{
    public const string Name = "capture";

    private const int MostTransfers = 4096;
    private const int MostPackets = 4096;
    private const int MostBytes = 1 << 26;

    public static Command Create()
    {
        var device = new DeviceOptions();
        Option<int?> @interface = new("--interface", "-i") { Description = "number of the interface (bInterfaceNumber)", HelpName = "number", CustomParser = Arguments.Number(0, 31) };
        Option<int?> alternate = new("--alternate", "-a") { Description = "number of the alternate setting (bAlternateSetting); default: the setting with the highest bandwidth", HelpName = "number", CustomParser = Arguments.Number(0, 255) };
        Option<byte?> endpoint = new("--endpoint", "-e") { Description = "endpoint address, hexadecimal; default: the only IN endpoint that matches the other options", HelpName = "address", CustomParser = Arguments.Endpoint };
        Option<TransferKind?> type = new("--type", "-t") { Description = "kind of endpoint: iso, bulk or interrupt", HelpName = "kind", CustomParser = Arguments.Kind };
        Option<string> output = new("--output", "-o") { Description = "output file; - means standard output", HelpName = "file", Required = true };
        Option<OutputFormat> format = new("--format", "-f") { Description = "format of the output: raw or framed (described below); default: raw", HelpName = "format", CustomParser = Arguments.Format };
        Option<bool> force = new("--force") { Description = "replace an existing file" };
        Option<TimeSpan?> duration = new("--duration", "-d") { Description = "duration of the capture, such as 5s, 250ms or 1.5min", HelpName = "time", CustomParser = Arguments.Duration };
        Option<long?> bytes = new("--bytes", "-b") { Description = "exact number of data bytes to capture, such as 1000000, 64KiB or 10MB", HelpName = "count", CustomParser = Arguments.Count };
        Option<long?> packets = new("--packets", "-n") { Description = "exact number of good packets to capture", HelpName = "count", CustomParser = Arguments.Count };
        Option<int?> inFlight = new("--in-flight") { Description = "number of transfers in flight; default: 16 for bulk, otherwise enough to receive data for 128 ms", HelpName = "count", CustomParser = Arguments.Number(1, MostTransfers) };
        Option<int?> perTransfer = new("--packets-per-transfer") { Description = "number of isochronous packets in a transfer; default: 32", HelpName = "count", CustomParser = Arguments.Number(1, MostPackets) };
        Option<int?> packetSize = new("--packet-size") { Description = "number of bytes requested in an isochronous packet; default: the maximum of the endpoint", HelpName = "bytes", CustomParser = Arguments.Number(1, MostBytes) };
        Option<int?> transferSize = new("--transfer-size") { Description = "number of bytes in a bulk or interrupt transfer; default: 64 KiB for bulk, the maximum of one service interval for interrupt", HelpName = "bytes", CustomParser = Arguments.Number(1, MostBytes) };
        Option<long?> buffer = new("--buffer") { Description = "number of captured bytes that can wait to be written; default: the data of half a second at the maximum bandwidth, but at least 16 MiB", HelpName = "bytes", CustomParser = Arguments.Count };
        Option<int?> realTime = new("--realtime") { Description = "real-time priority of the thread that handles USB events; on Linux, this option needs RLIMIT_RTPRIO or CAP_SYS_NICE", HelpName = "1..99", CustomParser = Arguments.Number(1, 99) };
        Option<bool> detach = new("--detach-kernel-driver") { Description = "detach the kernel driver from the interface during the capture" };
        Option<bool> json = new("--json") { Description = "write the summary as JSON to standard output, or to standard error if standard output receives the data" };
        Option<bool> progress = new("--progress") { Description = "write the progress line even if standard error is not a terminal" };
        Option<bool> quiet = new("--quiet", "-q") { Description = "write no progress line" };
        Option<bool> strict = new("--strict") { Description = "return exit code 10 if packets were lost or failed" };

        var command = new Command(Name, "Captures the data that an endpoint sends, until a limit is reached or Ctrl-C is pressed.");
        device.AddTo(command);
        foreach (Option option in (ReadOnlySpan<Option>)
            [@interface, alternate, endpoint, type, output, format, force, duration, bytes, packets, inFlight, perTransfer, packetSize,
                transferSize, buffer, realTime, detach, json, progress, quiet, strict])
        {
            command.Options.Add(option);
        }

        command.SetAction(parsed => (int)new CaptureRunner(new CaptureRequest
        {
            Device = device.Read(parsed),
            Endpoint = new EndpointSelection
            {
                Interface = parsed.GetValue(@interface),
                AlternateSetting = parsed.GetValue(alternate),
                Endpoint = parsed.GetValue(endpoint),
                Kind = parsed.GetValue(type),
            },
            Output = parsed.GetRequiredValue(output),
            Format = parsed.GetValue(format),
            Force = parsed.GetValue(force),
            RealTimePriority = parsed.GetValue(realTime),
            DetachKernelDriver = parsed.GetValue(detach),
            Duration = parsed.GetValue(duration),
            Bytes = parsed.GetValue(bytes),
            Packets = parsed.GetValue(packets),
            TransfersInFlight = parsed.GetValue(inFlight),
            PacketsPerTransfer = parsed.GetValue(perTransfer),
            PacketSize = parsed.GetValue(packetSize),
            TransferSize = parsed.GetValue(transferSize),
            BufferSize = parsed.GetValue(buffer),
            Json = parsed.GetValue(json),
            Progress = parsed.GetValue(quiet) ? false : parsed.GetValue(progress) ? true : null,
            Strict = parsed.GetValue(strict),
        }).Run());
        return command;
    }
}
