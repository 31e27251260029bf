using System.CommandLine;
using System.Text.Json;
using Native.LibUsb.Testing;

namespace Native.LibUsb.VirtualBusProgram;

/// <summary>
/// Defines the command <c>usbvbus check</c>. Virtual devices send numbered packets: each packet contains its own number (<see cref="NumberedPattern"/>). The
/// command checks that no such packet is missing, repeated or changed in a captured file.
/// </summary>
internal static class CheckCommand
{
    private const int Perfect = 0, Flawed = 1, Unreadable = 2;

    public static Command Create()
    {
        Argument<string> file = new("file") { Description = "The file, or - for standard input." };
        Option<int> packetSize = new("--packet-size", "-p") { Description = "The number of bytes in each packet, at least 8.", Required = true, HelpName = "bytes" };
        packetSize.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < NumberedPattern.NumberSize)
                result.AddError($"--packet-size must be at least {NumberedPattern.NumberSize}.");
        });
        Option<ulong?> first = new("--first") { Description = "The number that the first packet must have. By default, any number is accepted.", HelpName = "number" };
        Option<bool> json = new("--json") { Description = "Prints the result as one JSON object." };
        Command command = new("check", "Checks a captured file against the numbered pattern. The exit code is 0 if the file is perfect, 1 if it is not, and 2 if it cannot be read.")
        {
            file, packetSize, first, json,
        };
        command.SetAction(result => Check(result.GetValue(file)!, result.GetValue(packetSize), result.GetValue(first), result.GetValue(json)));
        return command;
    }

    private static int Check(string file, int packetSize, ulong? first, bool json)
    {
        NumberedPatternChecker checker = new(packetSize, first);
        try
        {
            using Stream stream = file == "-" ? Console.OpenStandardInput() : File.OpenRead(file);
            byte[] buffer = new byte[1 << 20];
            for (int count; (count = stream.Read(buffer)) > 0;)
                checker.AddStream(buffer.AsSpan(0, count));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"usbvbus: {exception.Message}");
            return Unreadable;
        }
        if (json)
            WriteJson(checker);
        else
            Console.WriteLine(checker.ToString());
        return checker.IsPerfect ? Perfect : Flawed;
    }

    private static void WriteJson(NumberedPatternChecker checker)
    {
        using Stream output = Console.OpenStandardOutput();
        using (Utf8JsonWriter writer = new(output))
        {
            writer.WriteStartObject();
            writer.WriteBoolean("perfect", checker.IsPerfect);
            writer.WriteNumber("packets", checker.Packets);
            writer.WriteNumber("bytes", checker.Bytes);
            writer.WriteNumber("lost", checker.Lost);
            writer.WriteNumber("mismatchedBytes", checker.MismatchedBytes);
            writer.WriteNumber("duplicates", checker.Duplicates);
            writer.WriteNumber("outOfOrder", checker.OutOfOrder);
            writer.WriteNumber("trailingBytes", checker.TrailingBytes);
            writer.WriteEndObject();
        }
        output.WriteByte((byte)'\n');
    }
}
