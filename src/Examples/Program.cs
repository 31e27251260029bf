// Runs one of the examples: examples NAME VENDOR PRODUCT [COUNT...]. VENDOR and PRODUCT are hexadecimal.

using System.Globalization;
using Examples;

const int failed = 1, misused = 2;
const string usage = """
    usage: examples NAME VENDOR PRODUCT [COUNT...]    (vendor and product in hexadecimal)
      basic-transfer        one bulk transfer
      awaited-transfers     COUNT questions (5) and their answers, with await
      concurrent-transfers  COUNT bulk transfers (20), four in flight
      transfer-helper       COUNT interrupt reports (5), one function for each status
      iso-streaming         COUNT isochronous transfers (8), packet by packet
      audio-playback        COUNT seconds (1) of sound at 44.1 kHz, at the rate that a feedback endpoint reports
      event-loop            COUNT connections (1) and COUNT reports (5) in one poll loop; Ctrl-C stops it
      interrupt-read        COUNT interrupt reports (5), on an event thread
    """;

if (args.Length < 3 || !TryId(args[1], out ushort vendor) || !TryId(args[2], out ushort product)
    || !Array.TrueForAll(args[3..], static count => int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
    return Misused();

try
{
    switch (args[0], args.Length)
    {
        case ("basic-transfer", 3):
            BasicTransfer.Run(vendor, product, Console.Out);
            return 0;
        case ("awaited-transfers", <= 4):
            await AwaitedTransfers.RunAsync(vendor, product, Count(0, 5), Console.Out);
            return 0;
        case ("concurrent-transfers", <= 4):
            ConcurrentTransfers.Run(vendor, product, Count(0, 20), Console.Out);
            return 0;
        case ("transfer-helper", <= 4):
            TransferHelper.Run(vendor, product, Count(0, 5), Console.Out);
            return 0;
        case ("iso-streaming", <= 4):
            IsoStreaming.Run(vendor, product, Count(0, 8), Console.Out);
            return 0;
        case ("audio-playback", <= 4):
            await AudioPlayback.RunAsync(vendor, product, Count(0, 1), Console.Out);
            return 0;
        case ("event-loop", <= 5):
            using (var stop = new CancellationTokenSource())
            {
                Console.CancelKeyPress += (_, pressed) =>
                {
                    pressed.Cancel = true; // the token ends the loop, and all resources are released
                    stop.Cancel();
                };
                EventLoop.Run(vendor, product, Count(0, 1), Count(1, 5), Console.Out, stop.Token);
            }

            return 0;
        case ("interrupt-read", <= 4):
            InterruptRead.Run(vendor, product, Count(0, 5), Console.Out);
            return 0;
        default:
            return Misused();
    }
}
catch (IOException exception) // UsbException derives from IOException; its message contains a hint if there is one
{
    Console.Error.WriteLine($"examples: {exception.Message}");
    return failed;
}

int Count(int index, int other) => args.Length > 3 + index ? int.Parse(args[3 + index], CultureInfo.InvariantCulture) : other;

static bool TryId(string text, out ushort id) =>
    ushort.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out id);

static int Misused()
{
    Console.Error.WriteLine(usage);
    return misused;
}
