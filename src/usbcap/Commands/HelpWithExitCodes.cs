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
           1  anything that has no number of its own
           2  wrong arguments
           3  no such device, or more than one fits
           4  no such interface, alternate setting or endpoint, or not of the kind wanted
           5  the interface is busy: a kernel driver or another program has it
           6  no permission (the message says what gives it)
           7  out of memory, or the kernel's limit for transfers in flight (usbfs_memory_mb)
           8  output: the file exists, the disk is full, the pipe was closed
           9  the device is gone
          10  data was lost or packets failed, with --strict
        """;

    private const string Files =
        """
        Output:
          While the capture runs the file is called FILE.part; it gets its name when it is complete. After a failure it stays FILE.part,
          with everything that was captured until then.
          raw     the data of all good packets, one after the other.
          framed  a header of 16 bytes: "usbcap" and two zero bytes; endpoint (1 byte); transfer type (1 byte: 1 isochronous, 2 bulk, 3 interrupt);
                  0 (2 bytes); bytes of a service interval or of a transfer (4 bytes). Then for each packet (isochronous) or transfer (bulk, interrupt)
                  16 bytes and its data: number from 0 (8 bytes), length of the data (4 bytes), status (1 byte: 0 good, 1 error, 2 timed out,
                  3 cancelled, 4 stall, 5 no device, 6 overflow), 0 (3 bytes). Numbers that are missing were lost. All numbers are little endian.

        Summary:
          lost    packets of the device that are not in the output: failed ones (isochronous), those that the output was too slow for, and service
                  intervals in which no transfer was waiting (found from the clocks, to half a transfer).
          rate    MB are 1,000,000 bytes. Isochronous: by the device's clock, one packet a service interval; otherwise by the host's,
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
