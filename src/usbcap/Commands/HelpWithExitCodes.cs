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
           0  done; Ctrl-C and SIGTERM also end a capture this way, with a complete file
           1  any other error
           2  wrong arguments
           3  no device matches the options, or more than one
           4  the interface, alternate setting or endpoint does not exist, or is of another kind
           5  the interface is busy: a kernel driver or another program has it
           6  no permission; the message explains how to obtain it
           7  out of memory, or the kernel's limit for transfers in flight (usbfs_memory_mb)
           8  the output cannot be written: the file exists, the disk is full, or the pipe was closed
           9  the device was unplugged
          10  with --strict: data was lost, or packets failed
        """;

    private const string Files =
        """
        Output:
          During the capture, the file has the name FILE.part. When the capture is complete, usbcap renames it to FILE. After a failure, FILE.part
          remains and contains everything that was captured before the failure.
          raw     the data of all good packets, one after the other.
          framed  a header of 16 bytes: "usbcap" and two zero bytes; endpoint (1 byte); transfer type (1 byte: 1 isochronous, 2 bulk, 3 interrupt);
                  0 (2 bytes); bytes of a service interval or of a transfer (4 bytes). Then for each packet (isochronous) or transfer (bulk, interrupt)
                  16 bytes and its data: number from 0 (8 bytes), length of the data (4 bytes), status (1 byte: 0 good, 1 error, 2 timed out,
                  3 cancelled, 4 stall, 5 no device, 6 overflow), 0 (3 bytes). Missing numbers are lost packets. All numbers are little-endian.

        Summary:
          lost    packets of the device that are not in the output: isochronous packets that failed, packets dropped because the output was too slow,
                  and service intervals in which no transfer was in flight (estimated from the clock, accurate to half a transfer).
          rate    1 MB is 1,000,000 bytes. Isochronous: measured by the device's clock, one packet per service interval. Otherwise: measured by the host's clock,
                  from the first completion to the last.
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
