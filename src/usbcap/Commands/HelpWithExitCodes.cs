using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Usbcap.Commands;

/// <summary>Writes the standard help, followed by a description of the exit codes and the output formats.</summary>
internal sealed class HelpWithExitCodes(HelpAction usual) : SynchronousCommandLineAction
{
    private const string ExitCodes =
        """
        Exit codes:
           0  success; Ctrl-C and SIGTERM also end a capture with this code and a complete file
           1  any other error
           2  wrong arguments
           3  no device matches the options, or several devices match
           4  the interface, alternate setting or endpoint does not exist, the endpoint is of another kind, or several endpoints match
           5  the interface is busy: a kernel driver or another program has claimed it
           6  no permission; the message explains how to obtain it
           7  there is not enough memory, or the transfers in flight exceed the kernel's memory limit (usbfs_memory_mb)
           8  the output cannot be written: the file exists, the disk is full, or the pipe was closed
           9  the device was unplugged
          10  packets were lost or failed, and the option --strict was given
        """;

    private const string Files =
        """
        Output:
          During the capture, the file has the name FILE.part. When the capture is complete, usbcap renames it to FILE. After a failure, FILE.part
          remains and contains everything that was captured before the failure.
          raw     the data of all good packets, one after the other.
          framed  a file header, followed by one record for each isochronous packet or for each bulk or interrupt transfer. All numbers are little-endian.
                  The file header has 16 bytes: "usbcap" and two zero bytes; the endpoint address (1 byte); the transfer type (1 byte: 1 isochronous,
                  2 bulk, 3 interrupt); 0 (2 bytes); the size of a packet or transfer (4 bytes).
                  A record has a header of 16 bytes, followed by the data. The header of a record contains: the number of the packet or transfer,
                  counted from 0 (8 bytes); the length of the data (4 bytes); the status (1 byte: 0 good, 1 error, 2 timed out, 3 cancelled, 4 stall,
                  5 no device, 6 overflow); 0 (3 bytes). If a number is missing, the packet with this number was lost.

        Summary:
          lost    packets of the device that are not in the output: isochronous packets that failed, packets that usbcap dropped because the output
                  was too slow, and packets of service intervals in which no transfer was in flight. The number of these intervals is estimated from
                  the clocks, and is accurate to half a transfer.
          rate    For isochronous endpoints, the rate is measured with the device's clock: one packet per service interval. For other endpoints, the rate is
                  measured with the host's clock, from the first completion to the last. 1 MB is 1,000,000 bytes.
        """;

    public override bool Terminating => true;

    public override int Invoke(ParseResult parseResult)
    {
        int result = usual.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        if (parseResult.CommandResult.Command.Name == CaptureCommand.Name)
        {
            output.WriteLine(Files);
            output.WriteLine();
        }

        output.WriteLine(ExitCodes);
        return result;
    }
}
