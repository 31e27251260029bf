using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Usbcap.Commands;

namespace Usbcap;

internal static class Program
{
    private static int Main(string[] arguments)
    {
        var root = new RootCommand("Lists USB devices and captures the data of their endpoints. Made with Native.LibUsb.")
        {
            ListCommand.Create(),
            CaptureCommand.Create(),
        };
        foreach (Option option in root.Options)
        {
            if (option is HelpOption { Action: HelpAction help })
                option.Action = new HelpWithExitCodes(help);
        }

        ParseResult parsed = root.Parse(arguments);
        if (parsed.Action is ParseErrorAction)
        {
            string command = parsed.CommandResult.Command is RootCommand ? "usbcap" : $"usbcap {parsed.CommandResult.Command.Name}";
            new FailureException(ExitCode.Usage, $"{parsed.Errors[0].Message} (see '{command} --help')").Report();
            return (int)ExitCode.Usage;
        }

        try
        {
            // This program handles signals and exceptions itself.
            return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (Exception exception)
        {
            var failure = FailureException.From(exception);
            failure.Report();
            return (int)failure.Code;
        }
    }
}
